import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { PROJECT } from '../../../../cli/stack.ts';
import { ModelFault, TimedOut } from '../../../../shared/scoring/engine.ts';
import { alive, engineOf, scoreAll, temporaryFolder } from './code.ts';

/** A module that does `broken` when the first file says so, and scores otherwise. */
const sometimes = (broken: string) => `
  export async function run(miniBatch, context) {
    if ((await miniBatch[0].text()) === 'break') { ${broken} }
    return miniBatch.map(({ name }) => name);
  }`;

const BREAK = { 'a.txt': 'break' };

describe('a module that cannot be loaded is refused with one line', () => {
  const cases: [what: string, script: string, code: string, message: string][] = [
    [
      'no run',
      'score.mjs',
      'export const init = () => {};',
      "The module score.mjs exports no function 'run': add 'export function run(miniBatch, context) { … }'.",
    ],
    [
      'a syntax error',
      'score.mjs',
      'export const a = 1;\nexport function run( {',
      'The module score.mjs cannot be imported: SyntaxError: Unexpected end of input (score.mjs:2)',
    ],
    [
      'a syntax error in TypeScript',
      'score.ts',
      'export const a: number = 1;\nexport function run(x: string {',
      "The module score.ts cannot be imported: SyntaxError: Expected ',', got '{' (score.ts:2)",
    ],
    [
      'TypeScript that needs a compiler',
      'score.ts',
      'export enum Label { A }',
      'The module score.ts cannot be imported: SyntaxError: TypeScript enum is not supported in strip-only mode (score.ts:1). Node only removes types: write what they compile to.',
    ],
    [
      'an error at its top',
      'score.cjs',
      '\nthrow new TypeError("no\\nluck");',
      'The module score.cjs cannot be imported: TypeError: no (score.cjs:2)',
    ],
    [
      'a package that is nowhere',
      'score.mjs',
      "import 'no-such-package';",
      "The module score.mjs cannot be imported: Cannot find package 'no-such-package' imported from score.mjs. Put what it imports into the code folder, packages into its node_modules.",
    ],
    [
      'init that throws',
      'score.mjs',
      'export const run = () => [];\nexport async function init() {\n  throw new Error("no model");\n}',
      'init() threw: no model (score.mjs:3)',
    ],
    [
      'init that is no function',
      'score.mjs',
      'export const run = () => [], init = 1;',
      "The module's 'init' is no function",
    ],
    [
      'process.exit in init',
      'score.mjs',
      'export const run = () => []; export const init = () => process.exit(0);',
      'The module could not be loaded. The module ended its process with exit code 0: it must not call process.exit(), but',
    ],
    ['another language', 'score.rb', 'def run', 'The module score.rb is none of .js, .mjs, .cjs, .ts, .mts.'],
  ];
  it.each(cases)('%s', async (_, script, code, message) => {
    const failure = await engineOf({ files: { [script]: code } }).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(ModelFault);
    expect(String(failure)).toContain(message);
    expect(String(failure)).not.toContain('\n');
  });

  it('a file that is not there, or not in the code', async () => {
    const files = { 'score.mjs': 'export const run = () => [];' };
    await expect(engineOf({ files, options: { script: 'other.mjs' } })).rejects.toThrow(
      'The code has no file other.mjs',
    );
    await expect(engineOf({ files, options: { script: '../score.mjs' } })).rejects.toThrow(
      "lies outside the code's folder",
    );
  });
});

describe('a run that fails says why in one line, and the next run works', () => {
  const cases: [what: string, broken: string, message: string][] = [
    [
      'throws',
      `null.length;`,
      "run() threw: TypeError: Cannot read properties of null (reading 'length') (score.mjs:3)",
    ],
    ['throws no error', `throw { status: 4 };`, 'run() threw: { status: 4 }'],
    [
      'throws while its rows are taken',
      `return (function* () { yield 1; throw new Error('row 2'); })();`,
      'run() threw: row 2 (score.mjs:3)',
    ],
    [
      'rejects one of its rows',
      `return [Promise.resolve(1), Promise.reject(new Error('row 2'))];`,
      'run() threw: row 2',
    ],
    ['returns nothing', `return;`, 'run() returned undefined'],
    [
      'calls process.exit',
      `process.exit(0);`,
      'The module ended its process with exit code 0: it must not call process.exit(), but return rows or throw an error.',
    ],
    [
      'is killed',
      `process.kill(process.pid, 'SIGSEGV'); await new Promise(() => {});`,
      "The module's process was ended by SIGSEGV",
    ],
    [
      'throws where nobody waits',
      `setTimeout(() => { throw new Error('late'); }); await new Promise(() => {});`,
      'The module threw outside of run(): late (score.mjs:3)',
    ],
    [
      'forgets a promise',
      `void Promise.reject(new Error('forgotten')); await new Promise(() => {});`,
      'The module threw outside of run(): forgotten (score.mjs:3)',
    ],
  ];
  it.each(cases)('%s', async (_, broken, message) => {
    const engine = await engineOf({ files: { 'score.mjs': sometimes(broken) } });
    const failure = await scoreAll(engine, { files: BREAK }).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(Error);
    expect(failure).not.toBeInstanceOf(ModelFault);
    expect(String(failure)).toContain(message);
    expect(String(failure)).not.toContain('\n');
    expect((await scoreAll(engine)).text).toBe('a.txt\n');
  });

  it('runs out of memory', async () => {
    const engine = await engineOf({
      files: { 'score.mjs': sometimes('const kept = []; for (;;) kept.push([Math.random()]);') },
      options: { environmentVariables: { NODE_OPTIONS: '--max-old-space-size=40' } },
    });
    await expect(scoreAll(engine, { files: BREAK })).rejects.toThrow(
      "The module's process was ended by SIGABRT: its memory for JavaScript was full, or native code gave up.",
    );
    expect((await scoreAll(engine)).text).toBe('a.txt\n');
  });

  it.runIf(process.platform === 'linux')('uses more memory than it may', async () => {
    const engine = await engineOf({
      files: { 'score.mjs': sometimes('const kept = []; for (;;) { kept.push(Buffer.alloc(1e7, 1)); await 0; }') },
      options: { memoryMb: 400 },
    });
    await expect(scoreAll(engine, { files: BREAK })).rejects.toThrow(
      /used \d+ MB of memory, and BATCHPOINT_WORKER_MEMORY_MB is 400/,
    );
    expect((await scoreAll(engine)).text).toBe('a.txt\n');
  });

  it('throws on one file of ten: the other files are scored without it', async () => {
    const engine = await engineOf({
      files: {
        'score.mjs': `export const run = (miniBatch) => Promise.all(miniBatch.map(async (file) => {
          if ((await file.text()) === 'bad') throw new Error('cannot read ' + file.name);
          return file.name;
        }));`,
      },
    });
    const names = Array.from({ length: 10 }, (_, index) => `${index}.txt`);
    const files = Object.fromEntries(names.map((name, index) => [name, index === 7 ? 'bad' : 'good']));
    await expect(scoreAll(engine, { files })).rejects.toThrow('run() threw: cannot read 7.txt');
    const { '7.txt': _, ...good } = files;
    expect((await scoreAll(engine, { files: good })).rows).toBe(9);
  });
});

describe('ONNX Runtime in a module', () => {
  it('is ended in the middle of its work, and the app lives', async () => {
    const model = join(PROJECT, 'bench/models/mlp/model.onnx');
    const engine = await engineOf({
      files: {
        'score.mjs': `
          import { InferenceSession, Tensor } from 'onnxruntime-node';
          export async function run(miniBatch) {
            const session = await InferenceSession.create(${JSON.stringify(model)});
            const { name, shape } = session.inputMetadata[0];
            const rows = (await miniBatch[0].text()) === 'break' ? 500_000 : 1;
            const input = new Tensor('float32', new Float32Array(rows * shape[1]), [rows, shape[1]]);
            do await session.run({ [name]: input });
            while (rows > 1);
            return [1];
          }`,
      },
    });
    await expect(scoreAll(engine, { files: BREAK, timeoutMs: 1000 })).rejects.toThrow(TimedOut);
    expect((await scoreAll(engine)).text).toBe('1\n');
  });
});

describe('time', () => {
  it.each([
    ['an endless loop', 'for (;;);'],
    ['a promise that never settles', 'await new Promise(() => {});'],
    ['rows without an end', 'return (function* () { for (;;) yield* []; })();'],
  ])('ends %s', async (_, broken) => {
    const engine = await engineOf({ files: { 'score.mjs': sometimes(broken) } });
    await expect(scoreAll(engine, { files: BREAK, timeoutMs: 300 })).rejects.toThrow(TimedOut);
    expect((await scoreAll(engine)).text).toBe('a.txt\n');
  });

  it('tells the module first, which may still write down where it was', async () => {
    const folder = await temporaryFolder();
    const note = join(folder, 'note.txt');
    const engine = await engineOf({
      files: {
        'score.mjs': `
          import { writeFileSync } from 'node:fs';
          export const run = (_, { signal }) => new Promise((_, reject) => signal.addEventListener('abort', () => {
            writeFileSync(process.env.NOTE, signal.reason.name);
            reject(signal.reason);
          }));`,
      },
      options: { environmentVariables: { NOTE: note } },
    });
    await expect(scoreAll(engine, { timeoutMs: 300 })).rejects.toThrow('longer than its timeout of 0.3 s');
    expect(await readFile(note, 'utf8')).toBe('AbortError');
  });

  it('does not count what whoever takes the rows needs', async () => {
    const engine = await engineOf({
      files: {
        'score.mjs': `export function* run() { for (let i = 0; i < 200_000; i++) yield 'a row of some length'; }`,
      },
    });
    const parts = engine.score(
      { files: [{ name: 'a', path: '/nowhere' }], outputFolder: '/nowhere' },
      {
        options: { outputFormat: 'csv', summaryOnly: false },
        timeoutMs: 2000,
        signal: new AbortController().signal,
        print: () => undefined,
      },
    );
    let rows = 0;
    for await (const part of parts) {
      if (part.type !== 'rows') continue;
      // The first part alone takes longer than the run may.
      if (rows === 0) await new Promise((resolve) => setTimeout(resolve, 2500));
      rows += part.rows;
    }
    expect(rows).toBe(200_000);
  });

  it('an abort ends the run with its reason, a wait for a worker too', async () => {
    const engine = await engineOf({ files: { 'score.mjs': sometimes('for (;;);') } });
    const [first, second] = [new AbortController(), new AbortController()];
    const running = scoreAll(engine, { files: BREAK, signal: first.signal });
    const waiting = scoreAll(engine, { files: BREAK, signal: second.signal });
    second.abort(new Error('not wanted any more'));
    await expect(waiting).rejects.toThrow('not wanted any more');
    first.abort(new Error('the job is cancelled'));
    await expect(running).rejects.toThrow('the job is cancelled');
    expect((await scoreAll(engine)).text).toBe('a.txt\n');
  });

  it('ends what the module started, too', async () => {
    const folder = await temporaryFolder();
    const engine = await engineOf({
      files: {
        'score.mjs': sometimes(`
          const { spawn } = await import('node:child_process');
          const { writeFileSync } = await import('node:fs');
          writeFileSync(process.env.NOTE, String(spawn('sleep', ['1000']).pid));
          await new Promise(() => {});`),
      },
      options: { environmentVariables: { NOTE: join(folder, 'pid') } },
    });
    await expect(scoreAll(engine, { files: BREAK, timeoutMs: 2000 })).rejects.toThrow(TimedOut);
    const pid = Number(await readFile(join(folder, 'pid'), 'utf8'));
    await expect.poll(() => alive(pid), { timeout: 25_000 }).toBe(false);
  });
});
