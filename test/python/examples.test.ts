import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { PROJECT } from '../../cli/stack.ts';

/** What a person types: the commands of the examples' READMEs, run as they are written. */
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'batchpoint-examples-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function read(...path: string[]): Promise<string> {
  return readFile(join(PROJECT, 'examples', ...path), 'utf8');
}
const fences = (page: string, language: string): string[] =>
  [...page.matchAll(new RegExp(`\`\`\`${language}\\n(.*?)\`\`\``, 'gs'))].map(([, text]) => text ?? '');

/** Runs a command of a page with the interpreter of these tests in the place of the one that the page makes. */
async function run(command: string): Promise<string> {
  const here = command.replace(/(\$PWD\/)?\.venv\/bin\/python/g, inject('python'));
  const child = spawn('bash', ['-c', here], {
    cwd: PROJECT,
    env: { ...process.env, BATCHPOINT_FOLDER: folder, npm_config_loglevel: 'error' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let out = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk: Buffer) => (out += chunk.toString('utf8')));
  const code = await new Promise((resolve) => child.once('close', resolve));
  expect(code, out).toBe(0);
  return out;
}

/** The file that a demo says it has left. */
const copyOf = (out: string): Promise<string> => readFile(/^Copy +(.+)$/m.exec(out)?.[1] ?? '', 'utf8');

describe('examples/scoring-script', () => {
  it('prints what its README shows', async () => {
    const readme = await read('scoring-script', 'README.md');
    const [command = '', ...more] = fences(readme, 'sh');
    const [shown = ''] = fences(readme, 'text');
    expect(more).toEqual([]);
    const out = await run(command);
    expect(out).toContain(shown);
    expect(await copyOf(out)).toBe(shown.slice(0, shown.indexOf('\n\n') + 1));
  });
});

describe('examples/mlflow-model', () => {
  it('is trained and scored as its README says, and tells the species', async () => {
    const readme = await read('mlflow-model', 'README.md');
    const [install = '', train = '', demo = '', ...more] = fences(readme, 'sh').flatMap((fence) =>
      fence.trim().split('\n'),
    );
    expect(more).toEqual([]);
    const packages = install.split('pip install ')[1]?.split(' ') ?? [];
    const installed = (await readFile(join(PROJECT, 'test/python/requirements.txt'), 'utf8')).split('\n');
    expect(packages.filter((pin) => !installed.includes(pin))).toEqual([]);

    const kept = [await read('mlflow-model', 'data/flowers-1.csv'), await read('mlflow-model', 'labels.csv')];
    await run(train);
    expect([await read('mlflow-model', 'data/flowers-1.csv'), await read('mlflow-model', 'labels.csv')]).toEqual(kept);
    const out = await run(demo);
    expect(out).toContain(fences(readme, 'text')[0]);
    const rows = (await copyOf(out)).trim().split('\n').slice(1);
    const labels = (await read('mlflow-model', 'labels.csv')).trim().split('\n').slice(1);
    expect(rows).toHaveLength(labels.length);
    expect(rows.filter((row, index) => row === labels[index]).length).toBeGreaterThanOrEqual(47);
  });
});
