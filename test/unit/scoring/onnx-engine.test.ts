import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { promisify } from 'node:util';
import type { Worker } from 'node:worker_threads';
import { afterEach, describe, expect, test } from 'vitest';
import type { Engine, ScoredPart } from '../../../shared/scoring/engine.ts';
import { onnxEngine } from '../../../shared/scoring/onnx/engine.ts';
import { CHUNKS_IN_FLIGHT, CHUNK_BYTES, PARTS_IN_FLIGHT } from '../../../shared/scoring/onnx/protocol.ts';
import { onnxModel, type Graph } from './onnx-graph.ts';
import { OPTIONS, inputsNamed } from './score-text.ts';

const GRAPH: Graph = {
  nodes: [{ op: 'Identity', in: ['x'], out: ['y'] }],
  inputs: [{ name: 'x', type: 'float32', shape: ['N', 2] }],
  outputs: [{ name: 'y', type: 'float32', shape: ['N', 2] }],
};
const MODEL = onnxModel(GRAPH);
const signature = inputsNamed('a', 'b');
const never = new AbortController().signal;

const engines: Engine[] = [];
afterEach(async () => {
  await Promise.all(engines.splice(0).map((engine) => engine.close()));
});
async function engineOf(threads = 1, model = MODEL): Promise<Engine> {
  const engine = await onnxEngine({ model, signature, threads });
  engines.push(engine);
  return engine;
}

async function* body(...chunks: (string | Uint8Array)[]): AsyncGenerator<Uint8Array> {
  for (const chunk of chunks) yield Buffer.from(chunk);
}

const RECORD = `1.5,2.5,${'-'.repeat(191)}\n`;

/** A file that goes on until its reader stops, and counts what it gave. */
function endless() {
  const block = Buffer.from(RECORD.repeat(256));
  const state = { bytes: 0, closed: false };
  async function* chunks(limit = Infinity) {
    try {
      yield Buffer.from('a,b,note\n');
      while (state.bytes < limit) {
        state.bytes += block.length;
        yield block;
      }
    } finally {
      state.closed = true;
    }
  }
  return { state, chunks };
}

async function scoreAll(engine: Engine, content: AsyncIterable<Uint8Array>, name = 'f', signal = never) {
  const parts: ScoredPart[] = [];
  for await (const part of engine.score({ name, body: content }, OPTIONS, signal)) parts.push(part);
  return {
    text: Buffer.concat(parts.map(({ bytes }) => bytes)).toString(),
    rows: parts.reduce((sum, { rows }) => sum + rows, 0),
    failures: parts.flatMap(({ failures }) => failures),
  };
}

const usable = { text: 'f,0,1,2\n', rows: 1, failures: [] };

describe('a file', () => {
  test('is scored in a thread, from chunks that are slices of a pooled buffer', async () => {
    const engine = await engineOf();
    const pooled = Buffer.from('xxa,b\n1,2\n3,bad\n5,6\nyy');
    const result = await scoreAll(engine, body(pooled.subarray(2, 9), pooled.subarray(9, -2)));
    expect(engine.columns).toEqual(['y_0', 'y_1']);
    expect(result).toEqual({
      text: 'f,0,1,2\nf,2,5,6\n',
      rows: 2,
      failures: [{ row: 1, line: 3, code: 'NotANumber', reason: "Column 'b' has 'bad', expected a number." }],
    });
    expect(pooled.toString()).toBe('xxa,b\n1,2\n3,bad\n5,6\nyy');
  });

  test('that is empty gives no part', async () => {
    const engine = await engineOf();
    expect(await scoreAll(engine, body())).toEqual({ text: '', rows: 0, failures: [] });
    expect(await scoreAll(engine, body('', ''))).toEqual({ text: '', rows: 0, failures: [] });
  });

  test.each([
    ['a,c\n1,2\n', { name: 'FileFault', code: 'MissingColumns', line: 1 }],
    ['a,b\n1,"2\n', { name: 'FileFault', code: 'UnterminatedQuote', line: 2 }],
    ['a,b\n1,\0\n', { name: 'FileFault', code: 'NotCsv', line: 2 }],
  ])('at fault throws its fault, and the thread goes on: %j', async (content, fault) => {
    const engine = await engineOf();
    await expect(scoreAll(engine, body(content, 'x'.repeat(CHUNK_BYTES * 3)))).rejects.toMatchObject(fault);
    expect(await scoreAll(engine, body('a,b\n1,2\n'))).toEqual(usable);
  });

  test('whose reading fails throws the very error of the reader', async () => {
    const engine = await engineOf();
    const lost = new Error('connection lost');
    async function* failing() {
      yield Buffer.from('a,b\n1,2\n');
      throw lost;
    }
    await expect(scoreAll(engine, failing())).rejects.toBe(lost);
    expect(await scoreAll(engine, body('a,b\n1,2\n'))).toEqual(usable);
  });

  test('that hangs after its fault was found does not hold the caller or the buffers', async () => {
    const engine = await engineOf();
    async function* hanging() {
      yield Buffer.from('c\n' + 'x'.repeat(CHUNK_BYTES));
      await new Promise(() => undefined);
    }
    for (let i = 0; i < CHUNKS_IN_FLIGHT + 1; i++) {
      await expect(scoreAll(engine, hanging())).rejects.toMatchObject({ code: 'MissingColumns' });
    }
    expect(await scoreAll(engine, body('a,b\n1,2\n'))).toEqual(usable);
  });

  test('of 200 MB is never held: the reader stays a bounded distance ahead of who takes the parts', async () => {
    const engine = await engineOf();
    const { state, chunks } = endless();
    let taken = 0;
    let ahead = 0;
    let parts = 0;
    for await (const part of engine.score({ name: 'f', body: chunks(200e6) }, OPTIONS, never)) {
      taken += part.rows * RECORD.length;
      // Now and then the consumer is slow: everything that may run ahead of it does.
      if (++parts % 50 === 0) await new Promise((resolve) => setTimeout(resolve, 20));
      ahead = Math.max(ahead, state.bytes - taken);
    }
    expect(taken).toBe(state.bytes);
    expect(taken).toBeGreaterThanOrEqual(200e6);
    const batch = 4096 * RECORD.length;
    // Buffers in flight, the one being read, the tokenizer's window, parts, and a batch on either side of the thread.
    expect(ahead).toBeLessThan((CHUNKS_IN_FLIGHT + 1) * CHUNK_BYTES + 64 * 1024 + (PARTS_IN_FLIGHT + 2) * batch);
  });
});

describe('threads', () => {
  test('score several files at once, each in order, more files than threads', async () => {
    const engine = await engineOf(2);
    const files = Array.from({ length: 6 }, (_, file) => ({
      name: `f${file}`,
      rows: Array.from({ length: 5000 }, (_, row) => `${file},${row}`),
    }));
    const results = await Promise.all(
      files.map(({ name, rows }) => scoreAll(engine, body(`a,b\n${rows.join('\n')}\n`), name)),
    );
    results.forEach(({ text }, file) => {
      const { name, rows } = files[file] as (typeof files)[number];
      expect(text).toBe(rows.map((values, row) => `${name},${row},${values}\n`).join(''));
    });
  });

  test('a second file is scored while the first waits for its reader, and a third waits for a thread', async () => {
    const engine = await engineOf(2);
    const gate = Promise.withResolvers<void>();
    async function* slow() {
      yield Buffer.from('a,b\n1,2\n');
      await gate.promise;
    }
    const first = scoreAll(engine, slow());
    const second = scoreAll(engine, slow());
    let thirdDone = false;
    const third = scoreAll(engine, body('a,b\n1,2\n')).finally(() => (thirdDone = true));
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(thirdDone).toBe(false);
    gate.resolve();
    expect(await Promise.all([first, second, third])).toEqual([usable, usable, usable]);
  });

  test('the event loop stays free', async () => {
    const engine = await engineOf();
    const { chunks } = endless();
    let ticks = 0;
    const timer = setInterval(() => ticks++, 1);
    await scoreAll(engine, chunks(20e6));
    clearInterval(timer);
    expect(ticks).toBeGreaterThan(3);
  });
});

describe('stopping', () => {
  test('an aborted signal throws its reason, closes the reader, and the next file gets a new thread', async () => {
    const engine = await engineOf();
    const { state, chunks } = endless();
    const controller = new AbortController();
    const reason = new Error('cancelled by the user');
    const scoring = (async () => {
      for await (const { rows } of engine.score({ name: 'f', body: chunks() }, OPTIONS, controller.signal)) {
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
    for await (const part of engine.score({ name: 'f', body: chunks() }, OPTIONS, never)) {
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
    const scoring = (async () => {
      let parts = 0;
      for await (const { rows } of engine.score({ name: 'f', body: chunks() }, OPTIONS, never)) {
        if (rows > 0 && ++parts === 3) kill(thread);
      }
    })();
    await expect(scoring).rejects.toThrow(message);
    await expect(scoring).rejects.not.toHaveProperty('code');
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
         const engine = await onnxEngine({ model: Buffer.from('${Buffer.from(MODEL).toString('base64')}', 'base64'), threads: 2 });
         const options = { outputFormat: 'csv', csvHeader: false, csvDelimiter: ',', missing: 'error' };
         async function* endless() { for (;;) yield Buffer.from('1,2\\n'.repeat(10000)); }
         const parts = () => engine.score({ name: 'f', body: endless() }, options, new AbortController().signal);
         ${code}`,
      ],
      { timeout: 20_000 },
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

test('a model at fault is refused when the engine is made', async () => {
  await expect(engineOf(1, Buffer.from('not a model'))).rejects.toMatchObject({ name: 'ModelFault' });
  await expect(engineOf(1, readFileSync('package.json'))).rejects.toThrow(/^The model cannot be loaded as ONNX: .+$/);
});
