import { expect, test } from 'vitest';
import { loadOrchestrations } from './orchestrations.ts';
import { play } from './record-histories.ts';
import type { Answers } from './scoring-scenarios.ts';

/** Answers every activity and notes what it was asked. */
function noting(answers: Answers): { answers: Answers; asked: [string, object][] } {
  const asked: [string, object][] = [];
  const noted = Object.entries(answers).map(([name, answer]): [string, Answers[string]] => [
    name,
    (input) => {
      asked.push([name, input]);
      return answer(input);
    },
  ]);
  return { answers: Object.fromEntries(noted), asked };
}

const orchestrations = await loadOrchestrations();
const run = { job: 'job', execution: 'e', generation: 2 };
const slice = { ok: true, done: true, position: 9, receipt: 'last', reason: null };

test('a later generation starts its lanes where their receipts end, and says in every activity which it is', async () => {
  const { answers, asked } = noting({
    takeJob: () => ({ over: false }),
    planJob: () => ({ ok: true, lanes: 2, starts: [{ position: 4, receipt: 'r4' }, null] }),
    scoreSlice: (input) => ('position' in input && input.position === 4 ? { ...slice, done: false } : slice),
    commitJob: () => ({ state: 'completed' }),
  });
  await play(orchestrations, '1', answers, { name: 'scoreJob', input: run });
  const lane = { ok: true, receipt: 'last', reason: null };
  expect(asked.toSorted((a, b) => JSON.stringify(a).localeCompare(JSON.stringify(b)))).toEqual([
    ['commitJob', { job: 'job', execution: 'e', lanes: [lane, lane] }],
    ['planJob', run],
    ['scoreSlice', { job: 'job', generation: 2, lane: 0, position: 4, receipt: 'r4' }],
    ['scoreSlice', { job: 'job', generation: 2, lane: 0, position: 9, receipt: 'last' }],
    ['scoreSlice', { job: 'job', generation: 2, lane: 1, position: null, receipt: null }],
    ['takeJob', run],
  ]);
});

test('a later generation settles as itself', async () => {
  const reason = { code: 'Canceled', message: 'no' };
  const { answers, asked } = noting({
    takeJob: () => ({ over: false }),
    planJob: () => ({ ok: false, reason }),
    settleJob: () => ({ state: 'canceled' }),
  });
  await play(orchestrations, '1', answers, { name: 'scoreJob', input: run });
  expect(asked.at(-1)).toEqual(['settleJob', { job: 'job', reason, generation: 2 }]);
});
