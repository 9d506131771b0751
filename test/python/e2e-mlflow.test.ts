import { execFileSync } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { z } from 'zod';
import type { App } from '../support/app.ts';
import { run, startPythonApp } from './python-app.ts';

/** What models.py made. */
let folder: string;
let app: App;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'batchpoint-models-'));
  execFileSync(inject('python'), [join(import.meta.dirname, 'models.py'), folder], { stdio: 'pipe' });
  app = await startPythonApp();
}, 300_000);
afterAll(async () => {
  await app.stop();
  await rm(folder, { recursive: true, force: true });
});

async function deploy(endpoint: string, model: string): Promise<void> {
  const names = await readdir(join(folder, model));
  const files = await Promise.all(
    names.map(async (name) => [name, await readFile(join(folder, model, name))] as const),
  );
  expect((await app.deploy(endpoint, Object.fromEntries(files))).status).toBe(201);
}

describe('a python_function model that is deployed with nothing configured', () => {
  it('gives what predict() gives, and names the rows that it could not have', async () => {
    await deploy('classifier', 'classifier');
    const csv = await readFile(join(folder, 'iris.csv'), 'utf8');
    await app.upload({
      'flowers/all.csv': csv,
      'flowers/bad.csv': 'sl,sw,pl,pw\n5.1,3.5,1.4,0.2\n5.1,wide,1.4,0.2\n6.7,3.0,5.2,2.3\n',
    });
    const { status, error, output, failures } = await run(app, 'classifier', 'flowers');
    const predicted = z.array(z.number()).parse(JSON.parse(await readFile(join(folder, 'classifier.json'), 'utf8')));
    const rows = predicted.map((value, row) => `all.csv,${row},${value}\n`).join('');
    expect({ status, error }).toEqual({ status: 'Completed', error: undefined });
    expect(output).toBe(`file,row,predictions\n${rows}bad.csv,0,0\nbad.csv,2,2\n`);
    expect(failures).toEqual([
      {
        file: 'bad.csv',
        row: 1,
        code: 'NotANumber',
        reason: "Column 'sw' has 'wide', expected a number.",
        attempts: 1,
      },
    ]);
  });

  it('has what it prints in the log of its job', async () => {
    await deploy('named', 'named');
    await app.upload({ 'texts/a.csv': 'text,n\na,1\nb,2\n' });
    const { output, log } = await run(app, 'named', 'texts');
    expect(output).toBe('file,row,label,twice\na.csv,0,A,2\na.csv,1,B,4\n');
    expect(log).toContain('worker 0 stdout: predicting 2\n');
  });
});
