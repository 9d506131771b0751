import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { CHUNKS_IN_FLIGHT, CHUNK_BYTES, PARTS_IN_FLIGHT } from '../../../shared/scoring/onnx/protocol.ts';
import { RECORD, body, endless, engineOf, never, scoreAll, scoreParts, streamed, usable } from './engines.ts';
import { OPTIONS } from './score-text.ts';

describe('a file', () => {
  test('is scored in a thread, from chunks that are slices of a pooled buffer', async () => {
    const engine = await engineOf();
    const pooled = Buffer.from('xxa,b\n1,2\n3,bad\n5,6\nyy');
    const result = await scoreAll(engine, body(pooled.subarray(2, 9), pooled.subarray(9, -2)));
    expect(engine.columns).toEqual(['y_0', 'y_1']);
    expect(result).toEqual({
      text: 'f,0,1,2\nf,2,5,6\n',
      rows: 2,
      failures: [
        { row: 1, line: 3, offset: 8, code: 'NotANumber', reason: "Column 'b' has 'bad', expected a number." },
      ],
    });
    expect(pooled.toString()).toBe('xxa,b\n1,2\n3,bad\n5,6\nyy');
  });

  test('is scored in parts, the later ones behind its header; what is wrong with that is told once', async () => {
    const engine = await engineOf();
    const later = { row: 2, records: 2, from: 12, line: 4 };
    const part = (head: string) => ({
      ...streamed(body(head, '5,6\n7,bad\n')),
      part: { ...later, headBytes: head.length },
    });
    expect(await scoreParts(engine, part('b,a\n'))).toEqual({
      text: 'f,2,6,5\n',
      rows: 1,
      failures: [
        { row: 3, line: 5, offset: 16, code: 'NotANumber', reason: "Column 'a' has 'bad', expected a number." },
      ],
    });
    expect(await scoreParts(engine, part('a,c\n'))).toEqual({ text: '', rows: 0, failures: [] });
    expect(await scoreAll(engine, body('a,b\n1,2\n'))).toEqual(usable);
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
    for await (const part of engine.score(streamed(chunks(200e6)), OPTIONS, never)) {
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

test('a model at fault is refused when the engine is made', async () => {
  await expect(engineOf(1, Buffer.from('not a model'))).rejects.toMatchObject({ name: 'ModelFault' });
  await expect(engineOf(1, readFileSync('package.json'))).rejects.toThrow(/^The model cannot be loaded as ONNX: .+$/);
});
