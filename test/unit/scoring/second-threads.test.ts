import { MessageChannel } from 'node:worker_threads';
import { describe, expect, test } from 'vitest';
import { ModelFault, type RecordFailure } from '../../../shared/scoring/engine.ts';
import { assistance, type Assistance } from '../../../shared/scoring/onnx/assistance.ts';
import { batchScorer } from '../../../shared/scoring/onnx/batch-scorer.ts';
import { scoreFile } from '../../../shared/scoring/onnx/file-scorer.ts';
import { loadModel, type LoadedModel } from '../../../shared/scoring/onnx/model.ts';
import { secondThreads, type SecondThreads } from '../../../shared/scoring/onnx/second-threads.ts';
import { memorySource } from '../../support/memory-source.ts';
import { onnxModel, type Graph } from './onnx-graph.ts';
import { OPTIONS } from './score-text.ts';

/** Both sides run in this thread: what one of them does at which batch is the test's to say. */

const BATCH = 4;

/** Answers a text, a wide integer, and the table's number at `i`: the model refuses an `i` that is not in the table. */
const GRAPH: Graph = {
  nodes: [
    { op: 'Gather', in: ['table', 'i'], out: ['y'] },
    { op: 'Identity', in: ['s'], out: ['text'] },
    { op: 'Identity', in: ['l'], out: ['wide'] },
  ],
  inputs: [
    { name: 'i', type: 'int64', shape: [BATCH, 1] },
    { name: 's', type: 'string', shape: [BATCH, 1] },
    { name: 'l', type: 'int64', shape: [BATCH, 1] },
  ],
  outputs: [
    { name: 'y', type: 'float32', shape: [BATCH, 1] },
    { name: 'text', type: 'string', shape: [BATCH, 1] },
    { name: 'wide', type: 'int64', shape: [BATCH, 1] },
  ],
  constants: { table: { dims: [3], data: [10, 20.5, 30] } },
};

interface Result {
  text: string;
  rows: number[];
  failures: RecordFailure[];
  error?: unknown;
}

interface Helped extends Result {
  /** Batches that each second scored. */
  readonly scored: number[];
  /** Seconds that were told to be free. */
  readonly over: number;
  readonly wanted: number;
}

interface Second {
  readonly assistance: Assistance;
  /** Ends the second as its thread's death would. */
  die(): void;
}

interface Scene {
  readonly seconds?: number;
  /** Milliseconds below which a batch is not lent; these batches are of few records. */
  readonly worthMs?: number;
  /** Before a second scores its batch `n`, counted from 1. */
  readonly before?: (n: number, second: Second) => void;
}

async function score(content: string, { seconds = 0, worthMs = 0, before }: Scene = {}): Promise<Helped> {
  const models = await Promise.all(Array.from({ length: seconds + 1 }, () => loadModel(onnxModel(GRAPH), undefined)));
  const [reader, ...others] = models;
  if (reader === undefined) throw new Error('A file has a reader.');
  const result = { text: '', rows: new Array<number>(), failures: new Array<RecordFailure>() };
  const state = { over: 0, wanted: 0 };
  const scored = others.map(() => 0);
  const wanted = () => {
    state.wanted++;
    others.forEach(join);
  };
  const threads: SecondThreads = secondThreads(reader.memory, wanted, worthMs);
  function join(model: LoadedModel, index: number): void {
    const { port1, port2 } = new MessageChannel();
    const scorer = batchScorer(model, 'f.csv', 'csv');
    const counted = {
      score(records: number) {
        scored[index] = (scored[index] ?? 0) + 1;
        before?.(scored[index], second);
        return scorer.score(records);
      },
    };
    const second = { assistance: assistance(model, counted, port2, () => state.over++), die: () => port2.close() };
    threads.add(port1);
  }
  let error: unknown;
  try {
    const emit = async (part: { bytes: Uint8Array; rows: number; failures: readonly RecordFailure[] }) => {
      result.text += Buffer.from(part.bytes).toString();
      result.rows.push(part.rows);
      result.failures.push(...part.failures);
    };
    await scoreFile(reader, { name: 'f.csv' }, memorySource(Buffer.from(content), 64), OPTIONS, emit, threads);
  } catch (thrown) {
    error = thrown;
  }
  if (state.wanted > 0) await expect.poll(() => state.over).toBe(seconds);
  await Promise.all(models.map((model) => model.close()));
  return { ...result, ...(error !== undefined && { error }), scored, ...state };
}

/** The same numbers every time. */
function random(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

/** Records, some of which cannot be read and some of which the model refuses. */
function records(count: number, seed = 1): string {
  const next = random(seed);
  const lines = Array.from({ length: count }, (_, row) => {
    const index = next(10) === 0 ? 7 : next(3);
    const wide = next(4) === 0 ? '9223372036854775807' : String(next(100));
    return next(12) === 0 ? `${index},bad` : `${index},"text ${row}, ${next(1000)}",${wide}`;
  });
  return ['i,s,l', ...lines, ''].join('\n');
}

const outcome = ({ text, rows, failures, error }: Helped): Result => ({ text, rows, failures, error });
const sum = (numbers: readonly number[]) => numbers.reduce((all, one) => all + one, 0);

describe('a file that other threads help to score', () => {
  test.each([0, 1, 3, 4, 5, 8, 9, 13, 200])(
    'of %d records has the output of one thread, in its order',
    async (count) => {
      const alone = await score(records(count, count));
      const helped = await score(records(count, count), { seconds: 2 });
      expect(outcome(helped)).toEqual(outcome(alone));
      expect(helped.wanted).toBe(count > 2 * BATCH + 1 ? 1 : helped.wanted);
    },
  );

  test('is scored by all of them, and by its reader', async () => {
    const helped = await score(records(400), { seconds: 2 });
    const [first = 0, second = 0] = helped.scored;
    expect(first).toBeGreaterThan(5);
    expect(second).toBeGreaterThan(5);
    expect(first + second).toBeLessThan(helped.rows.length);
    expect(helped).toMatchObject({ wanted: 1, over: 2 });
  });

  test('is its reader’s alone when a batch takes less than handing it over', async () => {
    const helped = await score(records(200), { seconds: 2, worthMs: 60_000 });
    expect(outcome(helped)).toEqual(outcome(await score(records(200))));
    expect(sum(helped.scored)).toBe(0);
  });

  test.each([1, 2, 5])('that are recalled at batch %d: what they had is scored by the reader', async (at) => {
    const before: Scene['before'] = (n, { assistance: { recall } }) => void (n === at && recall());
    const helped = await score(records(200), { seconds: 2, before });
    expect(outcome(helped)).toEqual(outcome(await score(records(200))));
    expect(helped.scored).toEqual([at, at]);
  });

  test.each([1, 2, 5])('that die at batch %d: what they had is scored by the reader', async (at) => {
    const before: Scene['before'] = (n, second) => void (n === at && second.die());
    const helped = await score(records(200), { seconds: 2, before });
    expect(outcome(helped)).toEqual(outcome(await score(records(200))));
    expect(sum(helped.scored)).toBe(2 * at);
  });

  test('fails with the error of the one that failed, after the parts before it', async () => {
    const whole = await score(records(200));
    const before: Scene['before'] = (n) => {
      if (n === 3) throw new ModelFault('The model is broken.');
    };
    const helped = await score(records(200), { seconds: 1, before });
    expect(helped.error).toEqual(new ModelFault('The model is broken.'));
    expect(helped.rows.length).toBeGreaterThanOrEqual(3);
    expect(helped.rows).toEqual(whole.rows.slice(0, helped.rows.length));
    expect(whole.text.startsWith(helped.text)).toBe(true);
  });

  test('that is at fault throws its fault after all that was read before it', async () => {
    const broken = `${records(200)}1,"never closed`;
    const alone = await score(broken);
    expect(alone.error).toMatchObject({ code: 'UnterminatedQuote' });
    const helped = await score(broken, { seconds: 2 });
    expect(outcome(helped)).toEqual(outcome(alone));
  });

  test.each([11, 12, 13, 14, 15])(
    'while these come and go has the same output, whatever the data: %d',
    async (seed) => {
      const content = records(150 + seed, seed);
      const next = random(seed);
      const before: Scene['before'] = (n, { assistance: { recall }, die }) => {
        const what = next(12);
        if (what === 0) recall();
        else if (what === 1 && n > 1) die();
      };
      expect(outcome(await score(content, { seconds: 3, before }))).toEqual(outcome(await score(content)));
    },
  );
});
