import { join } from 'node:path';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startApp, WORKSPACE, type App } from '../support/app.ts';
import { ensureUv } from '../../cli/virtual-environment.ts';
import { deployScript, run } from './python-app.ts';

let folder: string;
let app: App;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'batchpoint-work-'));
  const python = await ensureUv();
  app = await startApp({
    BATCHPOINT_PYTHON: python,
    BATCHPOINT_BUILD_ENVIRONMENTS: 'true',
    BATCHPOINT_WORK_FOLDER: folder,
  });
}, 300_000);
afterAll(async () => {
  await app.stop();
  await rm(folder, { recursive: true, force: true });
});

const SCRIPT = `
import six

def init():
    pass

def run(mini_batch):
    return [six.__version__ for path in mini_batch]
`;

it('a script runs in the environment of its conda file, which is built once, with the build in the log of the first job', async () => {
  const condaFile = 'name: heart\nchannels: [conda-forge]\ndependencies: [cudatoolkit=11.3, six=1.16.0]\n';
  const made = await app.send('PUT', `${WORKSPACE}/environments/heart/versions/1`, {
    properties: { image: 'mcr.microsoft.com/azureml/openmpi4.1.0-ubuntu20.04', condaFile },
  });
  expect(made.status, JSON.stringify(made.body)).toBe(201);
  await deployScript(app, 'built', SCRIPT, { environmentId: 'azureml:heart:1' });
  await deployScript(app, 'shared', SCRIPT, { environmentId: `${WORKSPACE}/environments/heart/versions/1` });
  await app.upload({ 'two/a.txt': 'a', 'two/b.txt': 'b' });
  const first = await run(app, 'built', 'two');
  expect(first).toMatchObject({ status: 'Completed', output: 'prediction\n1.16.0\n1.16.0\n' });
  expect(first.log).toMatch(/Ignored of azureml:heart:1, because pip has no such thing: .*cudatoolkit=11\.3/);
  expect(first.log).toContain('Building the environment azureml:heart:1');
  expect(first.log).toContain('+ six==1.16.0');
  const second = await run(app, 'shared', 'two');
  expect(second.output).toBe(first.output);
  expect(second.log).not.toContain('+ six==1.16.0');
});
