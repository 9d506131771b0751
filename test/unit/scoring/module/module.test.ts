import { spawn } from 'node:child_process';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, expect, it, onTestFinished } from 'vitest';
import { PROJECT } from '../../../../cli/stack.ts';
import { alive, engineOf, gather, scoreAll, temporaryFolder, writeFiles } from './code.ts';

describe('a module', () => {
  it.each([
    ['score.mjs', `export const run = (miniBatch) => miniBatch.map(({ name }) => name);`],
    ['score.js', `export const run = (miniBatch) => miniBatch.map(({ name }) => name);`],
    ['score.js', `exports.run = (miniBatch) => miniBatch.map(({ name }) => name);`],
    ['score.cjs', `module.exports = { run: (miniBatch) => miniBatch.map(({ name }) => name) };`],
    ['score.ts', `export const run = (miniBatch: { name: string }[]): string[] => miniBatch.map(({ name }) => name);`],
    [
      'nested/score.mts',
      `import { of } from './names.mts';\nexport const run = (miniBatch: { name: string }[]) => miniBatch.map(of);`,
    ],
    [
      'score.mjs',
      `export default { names: ({ name }) => name, run(miniBatch) { return miniBatch.map(this.names); } };`,
    ],
  ])('may be written as %s: %s', async (script, code) => {
    const engine = await engineOf({
      files: { [script]: code, 'nested/names.mts': 'export const of = ({ name }: { name: string }) => name;' },
    });
    const scored = await scoreAll(engine, { files: { 'a.txt': 'A', 'below/b.txt': 'B' } });
    expect([scored.text, scored.printed]).toEqual(['a.txt\nbelow/b.txt\n', []]);
  });

  it('gives way to the app where both want the processors, with every thread that it starts', async () => {
    const engine = await engineOf({
      files: {
        'score.mjs': `
          import { existsSync, readdirSync, readFileSync } from 'node:fs';
          import { stat } from 'node:fs/promises';
          import { getPriority } from 'node:os';
          export async function run() {
            await stat('.');
            if (process.platform !== 'linux') return [{ own: getPriority(), lowest: 10, session: 10 }];
            const nice = (thread) =>
              Number(readFileSync('/proc/self/task/' + thread + '/stat', 'utf8').split(') ')[1].split(' ')[16]);
            // Not every kernel has such groups, and of anybody but root it takes one wish in a tenth of a second.
            const weighed = process.getuid() === 0 && existsSync('/proc/self/autogroup');
            const session = weighed ? readFileSync('/proc/self/autogroup', 'utf8') : 'nice 10';
            const threads = readdirSync('/proc/self/task').map(nice);
            return [{ own: getPriority(), lowest: Math.min(...threads), session: Number(/nice (\\d+)/.exec(session)[1]) }];
          }`,
      },
    });
    const { columns, text } = await scoreAll(engine, { files: { 'a.txt': '' } });
    expect([columns, text]).toEqual([['own', 'lowest', 'session'], '10,10,10\n']);
  });

  it('is given its files, the model, a folder for what it writes, and no secret of the app', async () => {
    const model = await temporaryFolder();
    await writeFiles(model, { 'weights/w.json': '[1, 2]' });
    process.env['AzureWebJobsStorage'] = 'a secret';
    onTestFinished(() => void delete process.env['AzureWebJobsStorage']);
    const engine = await engineOf({
      files: {
        'score.mjs': `
          import { readFile, readdir, writeFile } from 'node:fs/promises';
          import { join } from 'node:path';
          let weights;
          export async function init({ model }) {
            weights = JSON.parse(await readFile(join(model, 'weights', 'w.json'), 'utf8'));
          }
          export async function run([file], { model, signal, outputFolder }) {
            await writeFile(join(outputFolder, 'summary.txt'), 'written');
            let streamed = '';
            for await (const chunk of file.stream()) streamed += chunk;
            return [{
              name: file.name, bytes: (await file.bytes()).length, text: await file.text(), streamed, weight: weights[1],
              aborted: signal.aborted, wrote: (await readdir(outputFolder)).join(), same: model === process.env.AZUREML_MODEL_DIR,
              given: process.env.GIVEN, secret: process.env.AzureWebJobsStorage, args: process.argv.length - 2, channel: process.send,
            }];
          }`,
      },
      options: { modelFolder: model, environmentVariables: { GIVEN: 'yes' } },
    });
    const { columns, text } = await scoreAll(engine, { files: { 'a/ä.txt': 'ä' } });
    const cells = text.trim().split(',');
    expect(Object.fromEntries((columns ?? []).map((column, at) => [column, cells[at]]))).toEqual({
      ...{ name: 'a/ä.txt', bytes: '2', text: 'ä', streamed: 'ä', weight: '2', aborted: 'false', wrote: 'summary.txt' },
      ...{ same: 'true', given: 'yes', secret: '', args: '0', channel: '' },
    });
  });

  it.each([
    ['ESM', 'score.mjs', `import chosen from 'sharp';\nimport zod from 'zod';\nimport { join } from 'path';`],
    [
      'CommonJS',
      'score.cjs',
      `const chosen = require('sharp');\nconst zod = require('zod');\nconst { join } = require('path');`,
    ],
  ])('imports packages of its own first, then those of the app: %s', async (_, script, imports) => {
    const code = `${imports}\nconst run = () => [[chosen.name, typeof zod.object, join('a', 'b')]];\n`;
    const engine = await engineOf({
      files: {
        [script]: code + (script === 'score.mjs' ? 'export { run };' : 'exports.run = run;'),
        'node_modules/sharp/package.json': '{ "name": "sharp", "version": "0.0.1", "main": "own.cjs" }',
        'node_modules/sharp/own.cjs': `module.exports = { name: 'its own' };`,
      },
    });
    expect((await scoreAll(engine)).text).toBe('its own,function,a/b\n');
  });

  it('runs in as many processes as there are workers, each with its own init()', async () => {
    const engine = await engineOf({
      files: {
        // Each waits until all three are there at the same time.
        'score.mjs': `
          import { readdir, writeFile } from 'node:fs/promises';
          export const init = ({ logger }) => logger.info('started');
          export async function run([file]) {
            await writeFile(process.env.MET + '/' + file.name, '');
            while ((await readdir(process.env.MET)).length < 3) await new Promise((resolve) => setTimeout(resolve, 10));
            return [process.pid];
          }`,
      },
      options: { workers: 3, environmentVariables: { MET: await temporaryFolder() } },
    });
    const scored = await Promise.all(['a', 'b', 'c'].map((name) => scoreAll(engine, { files: { [name]: '' } })));
    expect(new Set(scored.map(({ text }) => text)).size).toBe(3);
    const started = scored.flatMap(({ printed }) => printed).filter(({ text }) => text === 'INFO started');
    expect(started.map(({ worker }) => worker).sort()).toEqual([0, 1, 2]);
  });

  it('leaves when its reader stops, and the engine is closed with nothing left', async () => {
    const engine = await engineOf({
      files: { 'score.mjs': 'export function* run() { for (;;) yield process.pid; }' },
    });
    const run = {
      options: { outputFormat: 'csv', summaryOnly: false },
      timeoutMs: 30_000,
      signal: new AbortController().signal,
      print: () => undefined,
    } as const;
    const pids: number[] = [];
    for (let i = 0; i < 2; i++) {
      for await (const part of engine.score({ files: [{ name: 'a', path: '/a' }], outputFolder: '/a' }, run)) {
        if (part.type === 'rows') pids.push(Number.parseInt(Buffer.from(part.bytes).toString('utf8')));
        break;
      }
    }
    expect(new Set(pids).size).toBe(2);
    await engine.close();
    for (const pid of pids) expect(() => process.kill(pid, 0)).toThrow('ESRCH');
    await expect(scoreAll(engine)).rejects.toThrow('The engine is closed.');
  });
});

describe('a file', () => {
  it.each([true, false])('is read in the same ways in memory and on the disk: %j', async (inMemory) => {
    const engine = await engineOf({
      files: {
        'score.mjs': `
          import { readFile } from 'node:fs/promises';
          export async function* run(miniBatch) {
            for (const file of miniBatch) {
              const bytes = await file.bytes();
              const copy = bytes.toString();
              bytes.fill(0);
              let streamed = '';
              for await (const chunk of file.stream()) streamed += chunk;
              yield [file.name, copy, await file.text(), streamed, await readFile(file.path, 'utf8')];
            }
          }`,
      },
    });
    const files = { 'a.txt': 'A', 'below/empty': '', 'below/ö.txt': 'ö' };
    const { text } = await scoreAll(engine, { files, inMemory });
    expect(text).toBe('a.txt,A,A,A,A\nbelow/empty,,,,\nbelow/ö.txt,ö,ö,ö,ö\n');
  });

  it('in memory is written, read-only, when its path is asked for', async () => {
    const engine = await engineOf({
      files: {
        'score.mjs': `
          import { statSync } from 'node:fs';
          export const run = ([one, other]) => [(statSync(one.path).mode & 0o777).toString(8), other.name];`,
      },
    });
    const folder = await temporaryFolder();
    const bytes = Buffer.from('A');
    const files = ['below/one', 'other'].map((name) => ({ name, path: join(folder, name), bytes }));
    const { text } = await gather(engine, { files, outputFolder: await temporaryFolder() }, {});
    expect(text).toBe('444\nother\n');
    expect(await readdir(folder, { recursive: true })).toEqual(['below', 'below/one']);
  });

  it('whose path holds something else is written anew by the next run', async () => {
    const engine = await engineOf({
      files: {
        'score.mjs': `
          import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
          export const run = (miniBatch) => miniBatch.map(({ path }) => {
            const text = readFileSync(path, 'utf8');
            chmodSync(path, 0o644);
            writeFileSync(path, 'spoiled');
            return text;
          });`,
      },
    });
    const folder = await temporaryFolder();
    const miniBatch = {
      files: [{ name: 'a.txt', path: join(folder, 'a.txt'), bytes: Buffer.from('whole') }],
      outputFolder: folder,
    };
    expect((await gather(engine, miniBatch, {})).text).toBe('whole\n');
    expect((await gather(engine, miniBatch, {})).text).toBe('whole\n');
  });
});

describe('an idle engine', () => {
  it('ends its processes after a while, and starts one for the next run', async () => {
    const engine = await engineOf({
      files: { 'score.mjs': 'export const run = () => [process.pid];' },
      options: { idleMs: 50 },
    });
    const pid = Number((await scoreAll(engine)).text);
    await expect.poll(() => alive(pid), { timeout: 25_000 }).toBe(false);
    expect(Number((await scoreAll(engine)).text)).not.toBe(pid);
  });

  it('does not keep the app alive, and ends with it, even in an endless loop', async () => {
    const folder = await temporaryFolder();
    await writeFiles(folder, {
      'score.mjs': 'export const run = () => { console.log(process.pid); for (;;); };',
      'idle.mjs': 'export const run = () => [1];',
    });
    const engine = pathToFileURL(join(PROJECT, 'shared/scoring/module/engine.ts')).href;
    const app = `
      import { moduleEngine } from '${engine}';
      const engine = await moduleEngine({
        workers: 1, codeFolder: ${JSON.stringify(folder)}, script: process.argv[1], modelFolder: '/', environmentVariables: {},
        loggingLevel: 'Info', idleMs: 60_000,
      });
      if (process.argv[1] === 'idle.mjs') console.log('idle');
      else for await (const part of engine.score({ files: [{ name: 'a', path: '/a' }], outputFolder: '/' }, {
        options: { outputFormat: 'csv', summaryOnly: false }, timeoutMs: 60_000, signal: new AbortController().signal,
        print: ({ text }) => { console.log(text); process.kill(process.pid, 'SIGKILL'); },
      }));`;
    const ended = async (script: string) => {
      const child = spawn(process.execPath, ['--input-type=module', '-e', app, '--', script]);
      let output = '';
      child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString('utf8')));
      child.stderr.on('data', (chunk: Buffer) => (output += chunk.toString('utf8')));
      await new Promise((resolve) => child.once('close', resolve));
      return output.trim();
    };
    expect(await ended('idle.mjs')).toBe('idle');
    const pid = Number(await ended('score.mjs'));
    expect(pid).toBeGreaterThan(1);
    await expect.poll(() => alive(pid), { timeout: 25_000 }).toBe(false);
  });
});
