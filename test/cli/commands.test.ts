import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { PROJECT } from '../../cli/stack.ts';
import { answers } from './running-command.ts';

/** Azurite's key, the same everywhere. */
const KEY = 'Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==';

/** What a person types: the commands of README and docs, run as they are written. */
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'batchpoint-commands-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const environment = () => ({
  ...process.env,
  BATCHPOINT_FOLDER: folder,
  BATCHPOINT_INBOX: 'azureml-blobstore/incoming',
  npm_config_loglevel: 'error',
});

function run(command: string): Promise<{ code: number | null; out: string }> {
  const child = spawn('bash', ['-c', command], { cwd: PROJECT, env: environment(), stdio: ['ignore', 'pipe', 'pipe'] });
  let out = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk: Buffer) => (out += chunk.toString('utf8')));
  return new Promise((resolve) => child.once('close', (code) => resolve({ code, out })));
}

const readme = readFileSync(join(PROJECT, 'README.md'), 'utf8');
const triggered = readFileSync(join(PROJECT, 'docs/triggered-scoring.md'), 'utf8');
const fences = (page: string, language: string): string[] =>
  [...page.matchAll(new RegExp(`\`\`\`${language}\\n(.*?)\`\`\``, 'gs'))].map(([, text]) => text ?? '');
const commandsOf = (page: string): string[] => fences(page, 'sh').flatMap((fence) => fence.trim().split('\n'));

describe('npm run demo', () => {
  it('scores the sample, shows rows, place and accuracy, and leaves nothing running', async () => {
    const { code, out } = await run('npm run -s demo');
    expect(out).toContain('file,row,label,probabilities_0,probabilities_1\npatients-01.csv,0,benign,0.9846095,');
    expect(out).toMatch(/Completed +█+ +5\/5 files +171 rows/);
    expect(out).toMatch(/Accuracy {2}96\.5 % \(165 of 171 rows/);
    expect(code).toBe(0);
    const copy = /^Copy +(.+)$/m.exec(out)?.[1] ?? '';
    expect((await readFile(copy, 'utf8')).trimEnd().split('\n')).toHaveLength(172);
    const port = Number(/http:\/\/127\.0\.0\.1:(\d+)/.exec(out)?.[1]);
    expect(await answers(port)).toBe(false);
  });

  it('needs no proxy, whatever the environment names', async () => {
    const nowhere = 'http://127.0.0.1:9';
    const { code, out } = await run(`NO_PROXY= HTTP_PROXY=${nowhere} HTTPS_PROXY=${nowhere} npm run -s demo`);
    expect(out).toMatch(/Completed +█+ +5\/5 files +171 rows/);
    expect(code).toBe(0);
  });

  it('with --example deploys and scores what a folder of examples/ holds', async () => {
    const page = readFileSync(join(PROJECT, 'examples/image-classification/README.md'), 'utf8');
    const [command = '', ...more] = commandsOf(page);
    const { code, out } = await run(command);
    expect([code, more]).toEqual([0, []]);
    expect(out).toMatch(/Completed +█+ +12\/12 files +12 rows/);
    expect(out).toContain('\nfile,label,probability\n');
  });
});

describe('npm start', () => {
  let app: ReturnType<typeof spawn>;
  let printed = '';
  beforeAll(async () => {
    app = spawn('npm', ['start', '--', '--port', '0', '--storage-port', '0', '--host', 'embedded'], {
      cwd: PROJECT,
      env: environment(),
      stdio: ['ignore', 'pipe', 'pipe'],
      // A process group of its own, as a terminal gives it: Ctrl-C reaches all of it.
      detached: true,
    });
    await new Promise<void>((resolve, reject) => {
      app.stdout?.on('data', (chunk: Buffer) => {
        printed += chunk.toString('utf8');
        if (printed.includes('Ctrl-C ends both')) resolve();
      });
      app.stderr?.on('data', (chunk: Buffer) => (printed += chunk.toString('utf8')));
      app.once('exit', () => reject(new Error(printed)));
    });
  });
  afterAll(async () => {
    const ended = new Promise((resolve) => app.once('exit', resolve));
    process.kill(-(app.pid ?? 0), 'SIGINT');
    await ended;
    expect(await answers(Number(/127\.0\.0\.1:(\d+)\/endpoints/.exec(printed)?.[1]))).toBe(false);
  });

  const curls = (text: string): string[] =>
    text.split('\n').flatMap((line) => /^ *(curl -s .*)$/.exec(line)?.[1] ?? []);
  /** A command of a page, for the ports of this app and its storage. */
  const here = (command: string): string => {
    const port = /127\.0\.0\.1:(\d+)\/endpoints/.exec(printed)?.[1] ?? '';
    const storage = (/^Storage: (.*)$/m.exec(printed)?.[1] ?? '').replace(/AccountKey=\([^)]*\)/, `AccountKey=${KEY}`);
    return command.replace('127.0.0.1:7071', `127.0.0.1:${port}`).replace('UseDevelopmentStorage=true', storage);
  };
  const withoutPort = (command: string): string => command.replace(/127\.0\.0\.1:\d+/, '127.0.0.1:PORT');

  it('prints the functions with their URLs and the curl lines of the README', () => {
    expect(printed).toMatch(/scoring: \[GET,POST,.*\] http:\/\/localhost:\d+\/endpoints\/\{\*path\}/);
    expect(curls(printed)).toHaveLength(2);
    expect(curls(readme).map(withoutPort)).toEqual(curls(printed).map(withoutPort));
  });

  it('answers them as the README shows', async () => {
    const [invoke = '', list = ''] = curls(printed);
    const answer = JSON.parse((await run(invoke)).out) as { name: string };
    const shown = JSON.parse(fences(readme, 'json')[0] ?? '') as Record<string, unknown>;
    expect(answer).toMatchObject({ ...shown, name: expect.stringMatching(/^batchjob-/) as string });
    expect(JSON.parse((await run(list)).out)).toMatchObject({ value: [{ name: answer.name }] });
  });

  it('does what the page on triggered scoring says', { timeout: 90_000 }, async () => {
    const [start = '', watch = '', upload = '', list = '', message = '', ...more] = commandsOf(triggered).map(here);
    expect([start, more]).toEqual(['BATCHPOINT_INBOX=azureml-blobstore/incoming npm start', []]);
    const creators = async (): Promise<string[]> => {
      const { value } = JSON.parse((await run(list)).out) as { value: { systemData: { createdBy: string } }[] };
      return value.map(({ systemData }) => systemData.createdBy);
    };
    expect(JSON.parse((await run(watch)).out)).toMatchObject({ name: 'onnx' });
    expect(await run(upload)).toEqual({ code: 0, out: '' });
    await vi.waitFor(async () => expect(await creators()).toContain('batchpoint:watch'), { timeout: 40_000 });
    expect(await run(message)).toEqual({ code: 0, out: '' });
    await vi.waitFor(async () => expect(await creators()).toContain('batchpoint:queue'), { timeout: 40_000 });
  });

  it('says what to do about a port that is taken', async () => {
    const port = /127\.0\.0\.1:(\d+)\/endpoints/.exec(printed)?.[1] ?? '';
    const { code, out } = await run(`npm run -s start -- --port ${port} --storage-port 0`);
    expect(out).toContain(
      `Port ${port} is taken. Stop what listens there, or give another with --port (0 picks a free one).`,
    );
    expect(code).toBe(1);
  });
});

describe('every command', () => {
  it('of the README is run by a test or is how the tests are run', () => {
    const covered = [
      ...['npm ci && npm run demo', 'npm test', 'npm start', 'npm start -- --https'],
      // By test/sdk.
      ...['BATCHPOINT_BUILD_ENVIRONMENTS=true npm start -- --https', 'python examples/heart-training/walkthrough.py'],
    ];
    expect(
      commandsOf(readme).filter((command) => !covered.includes(command) && !command.startsWith('curl -s ')),
    ).toEqual([]);
  });

  it.each(['demo', 'start', 'token', 'bench'])('npm run %s has --help', async (name) => {
    const { code, out } = await run(`npm run -s ${name} -- --help`);
    expect(out).toMatch(/^Usage: npm (run )?(-s )?/);
    expect(code).toBe(0);
  });

  it.each([
    'demo -- --example moon',
    'start -- --port banana',
    'start -- --colour red',
    'start -- --host moon',
    'token -- --audience moon',
    'token -- --role moon',
  ])('npm run %s is refused in one line', async (args) => {
    const { code, out } = await run(`npm run -s ${args}`);
    expect(code).toBe(1);
    expect(out.trim().split('\n')).toHaveLength(1);
  });
});
