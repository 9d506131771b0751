import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, inject, it, vi } from 'vitest';
import { mortalApp, type MortalApp } from '../chaos/mortal-app.ts';
import { deployScript, ended, invoke } from './python-app.ts';

const MINI_BATCHES = 20;

/** Leaves a file for every run that begins. */
const SCRIPT = `
import os, tempfile, time

def init():
    pass

def run(mini_batch):
    tempfile.mkstemp(dir=os.environ["RUNS"])
    time.sleep(0.3)
    for path in mini_batch:
        with open(path) as file:
            yield [os.path.basename(path), file.read()]
`;

let runs: string;
let mortal: MortalApp;
beforeEach(async () => {
  runs = await mkdtemp(join(tmpdir(), 'batchpoint-runs-'));
  mortal = await mortalApp({
    seed: 1,
    settings: { BATCHPOINT_PYTHON: inject('python'), BATCHPOINT_SLICE_SECONDS: '1' },
  });
});
afterEach(async () => {
  await mortal.stop();
  await rm(runs, { recursive: true, force: true });
});

it('a host that is killed in the middle of a scripted job: each row is there once, in order', async () => {
  const { app } = mortal;
  const names = Array.from({ length: 2 * MINI_BATCHES }, (_, file) => `${String(file).padStart(2, '0')}.txt`);
  await app.upload(Object.fromEntries(names.map((name, file) => [`in/${name}`, `content ${file}`])));
  await deployScript(app, 'slow', SCRIPT, { miniBatchSize: 2, environmentVariables: { RUNS: runs } });
  const job = await invoke(app, 'slow', 'in');
  const begun = async (): Promise<number> => (await readdir(runs)).length;
  await vi.waitFor(async () => expect(await begun()).toBeGreaterThan(MINI_BATCHES / 2), {
    timeout: 60_000,
    interval: 50,
  });
  await mortal.kill();
  expect(await begun()).toBeLessThan(MINI_BATCHES);
  await mortal.start();

  const { status, output, failures } = await ended(app, 'slow', job);
  expect({ status, failures }).toEqual({ status: 'Completed', failures: [] });
  expect(output).toBe(`0,1\n${names.map((name, file) => `${name},content ${file}\n`).join('')}`);
  // The kill hit a run: somewhere a mini-batch was begun twice.
  expect(await begun()).toBeGreaterThan(MINI_BATCHES);
});
