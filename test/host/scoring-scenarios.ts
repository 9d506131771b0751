import { z } from 'zod';

/** What the activities of one job answer, by name; an answer may throw. */
export type Answers = Record<string, (input: object) => object>;

const planInput = z.object({ segment: z.number().default(0) });
const sliceInput = z.object({ lane: z.number(), position: z.number().nullable() });
export const unavailable = (what: string) => (): never => {
  throw new Error(`${what} is unavailable`);
};

/** A slice that ends at the next mini-batch; `last` is the number of the lane's slices. */
function slice(input: object, last: number): object {
  const { lane, position } = sliceInput.parse(input);
  const next = (position ?? 0) + 1;
  return { ok: true, done: next === last, position: next, receipt: `receipt-${lane}-${next}`, reason: null };
}

const answers = (lanes: number, slices: number): Answers => ({
  takeJob: () => ({ over: false }),
  planJob: () => ({ ok: true, lanes }),
  scoreSlice: (input) => slice(input, slices),
  stopJob: () => ({ stopped: true }),
  commitJob: () => ({ state: 'completed' }),
  settleJob: () => ({ state: 'failed' }),
});

/** The plan of so many segments, each of which has so many lanes. */
function plan(input: object, segments: number, lanes: number): object {
  const { segment } = planInput.parse(input);
  const more = segment + 1 < segments && { more: true };
  return { ok: true, lanes, ...more, ...(segment > 0 && { segment, firstLane: segment * lanes }) };
}

/** Fails at its first call and is right from then on. */
export function unsteady(answer: (input: object) => object): (input: object) => object {
  let calls = 0;
  return (input) => {
    calls += 1;
    if (calls === 1) throw new Error('the connection was reset');
    return answer(input);
  };
}

/** The ways that a scoring job can go, one for each branch of its orchestrations. */
export const scoringScenarios: Readonly<Record<string, Answers>> = {
  success: answers(3, 2),
  retried: { ...answers(1, 2), scoreSlice: unsteady((input) => slice(input, 2)) },
  long: answers(1, 45),
  over: { ...answers(1, 1), takeJob: () => ({ over: true }) },
  refused: {
    ...answers(1, 1),
    planJob: () => ({ ok: false, reason: { code: 'InvalidInput', message: 'no files were found' } }),
  },
  'plan-fails': { ...answers(1, 1), planJob: unavailable('storage') },
  'lane-stops': {
    ...answers(2, 3),
    scoreSlice(input) {
      const answer = slice(input, 3);
      if (sliceInput.parse(input).lane === 0) return answer;
      return { ...answer, ok: false, reason: { code: 'ErrorThreshold', message: 'too many failures' } };
    },
    commitJob: () => ({ state: 'failed' }),
  },
  'lane-fails': {
    ...answers(2, 2),
    scoreSlice(input) {
      return sliceInput.parse(input).lane === 0 ? slice(input, 2) : unavailable('scoring')();
    },
    commitJob: () => ({ state: 'failed' }),
  },
  'stop-fails': {
    ...answers(1, 1),
    scoreSlice: unavailable('scoring'),
    stopJob: unavailable('storage'),
    commitJob: () => ({ state: 'failed' }),
  },
  segments: { ...answers(2, 1), planJob: (input) => plan(input, 3, 2) },
  'many-lanes': { ...answers(100, 1), planJob: (input) => plan(input, 3, 100) },
  'segment-is-empty': {
    ...answers(1, 1),
    planJob: (input) => ({ ...plan(input, 2, 1), ...('segment' in input && { lanes: 0 }) }),
  },
  'segment-is-refused': {
    ...answers(1, 1),
    planJob: (input) =>
      'segment' in input
        ? { ok: false, reason: { code: 'TooManyFiles', message: 'too many files' } }
        : plan(input, 2, 1),
    commitJob: () => ({ state: 'failed' }),
  },
  'segment-fails': {
    ...answers(1, 1),
    planJob: (input) => ('segment' in input ? unavailable('storage')() : plan(input, 2, 1)),
    commitJob: () => ({ state: 'failed' }),
  },
  'commit-fails': { ...answers(1, 1), commitJob: unavailable('storage') },
};
