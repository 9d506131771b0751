import type { Worker } from 'node:worker_threads';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { scoringPlaces } from '../../../shared/scoring/scoring-places.ts';
import { body, endless, engineOf, never, scoreAll, streamed, usable, MODEL } from './engines.ts';
import { OPTIONS } from './score-text.ts';

/** Threads that were started since the test began. */
let threads: Worker[] = [];
/** Those that have loaded their model, which is the first that each says. */
let loaded = 0;
const started = (thread: Worker) => {
  threads.push(thread);
  thread.once('message', () => loaded++);
};
beforeEach(() => {
  threads = [];
  loaded = 0;
  process.on('worker', started);
});
afterEach(() => void process.off('worker', started));

/** 20 batches of 4096 records. */
const LONG = `a,b\n${Array.from({ length: 81_920 }, (_, row) => `${row},${row % 7 === 0 ? 'bad' : row / 4}\n`).join('')}`;
const short = () => body('a,b\n1,2\n');

/** Scores a file that never ends until `stop`; its parts are counted. */
function scoreEndless(engine: Awaited<ReturnType<typeof engineOf>>) {
  const state = { parts: 0 };
  const controller = new AbortController();
  const over = (async () => {
    for await (const part of engine.score(streamed(endless().chunks()), OPTIONS, controller.signal)) {
      if (part.rows > 0) state.parts++;
    }
  })();
  return {
    state,
    async stop() {
      controller.abort(new Error('enough'));
      await expect(over).rejects.toThrow('enough');
    },
  };
}

describe('a long file alone', () => {
  test('is scored by all threads, with the output of one', async () => {
    const alone = await scoreAll(await engineOf(1), body(LONG));
    threads = [];
    const helped = await scoreAll(await engineOf(3), body(LONG));
    expect(threads).toHaveLength(3);
    expect(helped.rows).toBe(70_217);
    expect(helped).toEqual(alone);
  });

  test('gives a thread back to a file that asks, and takes it again', { timeout: 60_000 }, async () => {
    const engine = await engineOf(2);
    const long = scoreEndless(engine);
    await expect.poll(() => threads.length, { timeout: 30_000 }).toBe(2);
    for (let file = 0; file < 3; file++) {
      expect(await scoreAll(engine, short())).toEqual(usable);
      const { parts } = long.state;
      await expect.poll(() => long.state.parts, { timeout: 30_000 }).toBeGreaterThan(parts + 10);
    }
    expect(threads).toHaveLength(2);
    await long.stop();
  });

  test('that is aborted frees its threads for other files', { timeout: 60_000 }, async () => {
    const engine = await engineOf(2);
    const long = scoreEndless(engine);
    await expect.poll(() => threads.length, { timeout: 30_000 }).toBe(2);
    await long.stop();
    const gate = Promise.withResolvers<void>();
    async function* slow() {
      yield Buffer.from('a,b\n1,2\n');
      await gate.promise;
    }
    const first = scoreAll(engine, slow());
    expect(await scoreAll(engine, short())).toEqual(usable);
    gate.resolve();
    expect(await first).toEqual(usable);
  });

  test('whose second thread dies is scored whole all the same', { timeout: 60_000 }, async () => {
    const engine = await engineOf(2);
    const half = LONG.indexOf('\n40960,') + 1;
    // All threads wait for more when the second one is ended: nobody may end it inside the model's native code.
    async function* pausing() {
      yield Buffer.from(LONG.slice(0, half));
      await expect.poll(() => loaded, { timeout: 30_000 }).toBe(2);
      await new Promise((resolve) => setTimeout(resolve, 500));
      await threads[1]?.terminate();
      yield Buffer.from(LONG.slice(half));
    }
    expect(await scoreAll(engine, pausing())).toEqual(await scoreAll(await engineOf(1), body(LONG)));
    expect(await scoreAll(engine, short())).toEqual(usable);
  });
});

test('a short file starts no second thread', async () => {
  expect(await scoreAll(await engineOf(2), short())).toEqual(usable);
  expect(threads).toHaveLength(1);
});

test('engines of several models share their places', async () => {
  const places = scoringPlaces(1);
  const one = await engineOf(1, MODEL, places);
  const other = await engineOf(1, MODEL, places);
  const gate = Promise.withResolvers<void>();
  async function* slow() {
    yield Buffer.from('a,b\n1,2\n');
    await gate.promise;
  }
  const first = scoreAll(one, slow());
  let done = false;
  const second = scoreAll(other, short(), 'f', never).finally(() => (done = true));
  await new Promise((resolve) => setTimeout(resolve, 100));
  expect(done).toBe(false);
  gate.resolve();
  expect(await Promise.all([first, second])).toEqual([usable, usable]);
});
