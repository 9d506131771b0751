import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { Worker } from 'node:worker_threads';
import { describe, expect, test } from 'vitest';
import { MODEL, RECORD, body, endless, engineOf, never, scoreAll, streamed, usable } from './engines.ts';
import { OPTIONS } from './score-text.ts';

describe('stopping', () => {
  test('an aborted signal throws its reason, closes the reader, and the next file gets a new thread', async () => {
    const engine = await engineOf();
    const { state, chunks } = endless();
    const controller = new AbortController();
    const reason = new Error('cancelled by the user');
    const scoring = (async () => {
      for await (const { rows } of engine.score(streamed(chunks()), OPTIONS, controller.signal)) {
        if (rows > 0) controller.abort(reason);
      }
    })();
    await expect(scoring).rejects.toBe(reason);
    await expect.poll(() => state.closed).toBe(true);
    expect(await scoreAll(engine, body('a,b\n1,2\n'))).toEqual(usable);
  });

  test('an abort is heard by a file whose reader hangs', async () => {
    const engine = await engineOf();
    const controller = new AbortController();
    async function* hanging() {
      yield Buffer.from('a,b\n');
      await new Promise(() => undefined);
    }
    const scoring = scoreAll(engine, hanging(), 'f', controller.signal);
    setTimeout(() => controller.abort(new Error('enough')), 20);
    await expect(scoring).rejects.toThrow('enough');
    expect(await scoreAll(engine, body('a,b\n1,2\n'))).toEqual(usable);
  });

  test('an abort is heard by a file that waits for a thread, and takes nobody else’s place', async () => {
    const engine = await engineOf();
    const gate = Promise.withResolvers<void>();
    async function* slow() {
      yield Buffer.from('a,b\n1,2\n');
      await gate.promise;
    }
    const first = scoreAll(engine, slow());
    const controller = new AbortController();
    const waiting = scoreAll(engine, body('a,b\n'), 'f', controller.signal);
    const last = scoreAll(engine, body('a,b\n1,2\n'));
    controller.abort(new Error('no longer wanted'));
    await expect(waiting).rejects.toThrow('no longer wanted');
    gate.resolve();
    expect(await Promise.all([first, last])).toEqual([usable, usable]);
  });

  test('a signal that was aborted before takes no thread', async () => {
    const engine = await engineOf();
    await expect(scoreAll(engine, body('a,b\n'), 'f', AbortSignal.abort(new Error('late')))).rejects.toThrow('late');
  });

  test('leaving the loop early closes the reader, and the next file is scored', async () => {
    const engine = await engineOf();
    const { state, chunks } = endless();
    for await (const part of engine.score(streamed(chunks()), OPTIONS, never)) {
      expect(part.rows).toBe(4096);
      break;
    }
    await expect.poll(() => state.closed).toBe(true);
    expect(await scoreAll(engine, body('a,b\n1,2\n'))).toEqual(usable);
  });

  test('closing ends the files under way with an error, and refuses new ones', async () => {
    const engine = await engineOf(2);
    const { chunks } = endless();
    const scoring = scoreAll(engine, chunks());
    await new Promise((resolve) => setTimeout(resolve, 50));
    const failed = expect(scoring).rejects.toThrow('The scoring thread has ended');
    await engine.close();
    await failed;
    await expect(scoreAll(engine, body('a,b\n'))).rejects.toThrow('The engine is closed.');
  });
});

describe('a thread that dies', () => {
  /** The engine's thread, as the process hears of it. */
  async function engineAndThread() {
    const created = Promise.withResolvers<Worker>();
    process.once('worker', created.resolve);
    const engine = await engineOf();
    return { engine, thread: await created.promise };
  }

  test.each<[string, (thread: Worker) => void, RegExp]>([
    ['by exiting', (thread) => void thread.terminate(), /^The scoring thread has ended with code 1\.$/],
    // A message that it cannot read throws where nothing catches it, as a bug or a lack of memory would.
    ['by an error', (thread) => thread.postMessage(null), /^The scoring thread crashed: .*null/],
  ])('%s in the middle of a file is an error of the engine, and is replaced', async (_, kill, message) => {
    const { engine, thread } = await engineAndThread();
    const { state, chunks } = endless();
    const gate = Promise.withResolvers<void>();
    // The thread waits for more when it is ended: inside the model's native code nobody may end it from outside (it takes the
    // process with it), which is why the engine does not.
    async function* pausing() {
      yield* chunks(3 * 4096 * RECORD.length);
      setTimeout(() => kill(thread), 500);
      await gate.promise;
    }
    const scoring = scoreAll(engine, pausing());
    await expect(scoring).rejects.toThrow(message);
    await expect(scoring).rejects.not.toHaveProperty('code');
    gate.resolve();
    await expect.poll(() => state.closed).toBe(true);
    expect(await scoreAll(engine, body('a,b\n1,2\n'))).toEqual(usable);
  });

  test('while idle is replaced by the next file', async () => {
    const { engine, thread } = await engineAndThread();
    await thread.terminate();
    expect(await scoreAll(engine, body('a,b\n1,2\n'))).toEqual(usable);
  });
});

describe('the process', () => {
  const run = (code: string) =>
    promisify(execFile)(
      process.execPath,
      [
        '--input-type=module-typescript',
        '--eval',
        `import { onnxEngine } from './shared/scoring/onnx/engine.ts';
         import { scoringPlaces } from './shared/scoring/scoring-places.ts';
         const engine = await onnxEngine({ model: Buffer.from('${Buffer.from(MODEL).toString('base64')}', 'base64'), places: scoringPlaces(2) });
         const options = { outputFormat: 'csv', csvHeader: false, csvDelimiter: ',', missing: 'error' };
         async function* endless() { for (;;) yield Buffer.from('1,2\\n'.repeat(10000)); }
         const parts = () => engine.score({ name: 'f', length: 0, body: endless(), range: async () => new Uint8Array() }, options, new AbortController().signal);
         ${code}`,
      ],
      { timeout: 50_000 },
    );

  test('ends by itself when its engines are idle', async () => {
    expect(await run(`console.log(engine.columns.join());`)).toMatchObject({ stdout: 'y_0,y_1\n', stderr: '' });
  });

  test('can exit while the model runs', async () => {
    const { stdout, stderr } = await run(
      `let n = 0; for await (const part of parts()) if (++n === 20) { console.log('exit'); process.exit(0); }`,
    );
    expect({ stdout, stderr }).toEqual({ stdout: 'exit\n', stderr: '' });
  });

  test('survives threads stopped in the middle of a run', async () => {
    const { stdout, stderr } = await run(
      `for (let i = 0; i < 10; i++) for await (const part of parts()) break;
       console.log('still here');`,
    );
    expect({ stdout, stderr }).toEqual({ stdout: 'still here\n', stderr: '' });
  });
});
