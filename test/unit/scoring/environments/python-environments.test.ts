import { chmod, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { ModelFault } from '../../../../shared/scoring/engine.ts';
import { MODEL_REQUIREMENTS, type EnvironmentNeeds } from '../../../../shared/scoring/environments/needs.ts';
import { pythonEnvironments } from '../../../../shared/scoring/environments/python-environments.ts';

/** A folder with programs that answer as an interpreter does when it is asked what it is. */
let bin: string;
beforeEach(async () => {
  bin = await mkdtemp(join(tmpdir(), 'bp-'));
});
afterEach(() => rm(bin, { recursive: true, force: true }));

async function program(name: string, script: string): Promise<string> {
  const path = join(bin, name);
  await writeFile(path, `#!/bin/sh\n${script}\n`);
  await chmod(path, 0o755);
  return path;
}

const interpreter = (name: string): Promise<string> =>
  program(name, `echo '{"base": "${join(bin, name)}", "version": "3.11.7"}'`);

const needs = (changes: Partial<EnvironmentNeeds> = {}): EnvironmentNeeds => ({
  label: 'azureml:heart-env:3',
  image: 'registry.example.test/heart:7',
  condaFile: 'dependencies: [six]',
  requirements: null,
  ...changes,
});

async function environments(map: Record<string, string> = {}, build = false) {
  const python = await interpreter('default');
  const root = join(bin, 'root');
  return pythonEnvironments({ python, map, build, root, maxBytes: 1e9, own: process.env, say: () => undefined });
}

/** Which of the programs runs an environment. */
async function chosen(map: Record<string, string>, asked: EnvironmentNeeds): Promise<string> {
  const all = await environments(map);
  await all.check(asked);
  const lease = await all.interpreter(asked, () => undefined);
  return lease.python.slice(bin.length + 1);
}

describe('pythonEnvironments, without uv', () => {
  test.each([
    'azureml:heart-env:3',
    'heart-env:3',
    'heart-env',
    'Heart-Env',
    'heart-*',
    'azureml:heart*',
    '*',
    'registry.example.test/heart:7',
    'registry.example.test/heart',
    'registry.example.test/*',
  ])('the map knows an environment as %j', async (key) => {
    expect(await chosen({ [key]: await interpreter('mapped'), other: '/no/such' }, needs())).toBe('mapped');
  });

  test.each([
    'azureml:heart-env@latest',
    'azureml://registries/azureml/environments/heart-env/versions/3',
    'azureml://registries/azureml/environments/heart-env/labels/latest',
    '/subscriptions/s/resourceGroups/r/providers/Microsoft.MachineLearningServices/workspaces/w/environments/heart-env/versions/3',
  ])('and by its name in %s', async (label) => {
    expect(await chosen({ 'heart-env': await interpreter('mapped') }, needs({ label }))).toBe('mapped');
  });

  test('the longest line of the map wins, whatever its place', async () => {
    const [short, long, exact] = [await interpreter('short'), await interpreter('long'), await interpreter('exact')];
    expect(await chosen({ '*': short, 'heart-env*': long, 'heart-*': short }, needs())).toBe('long');
    expect(await chosen({ 'heart-env:3': exact, 'heart-env': long, '*': short }, needs())).toBe('exact');
  });

  test.each([
    ['a curated environment', { label: 'azureml:AzureML-sklearn-1.5:2', condaFile: null, image: null }],
    ['one by its bare name', { label: 'AzureML-Minimal', condaFile: null, image: null }],
    [
      'one of a registry',
      { label: 'azureml://registries/azureml/environments/sklearn-1.5/labels/latest', condaFile: null, image: null },
    ],
    ["an image of Azure ML's", { image: 'mcr.microsoft.com/azureml/sklearn:latest', condaFile: null }],
    ['no environment', { label: 'no environment', image: null, condaFile: null }],
  ])('%s is run by the default interpreter', async (_case, changes) => {
    expect(await chosen({}, needs(changes))).toBe('default');
  });

  test("a model's own requirements are run by the default interpreter, and the log says that they are not installed", async () => {
    const all = await environments();
    const log: string[] = [];
    const lease = await all.interpreter(needs({ label: MODEL_REQUIREMENTS, image: null }), (line) => log.push(line));
    expect(lease.python).toBe(join(bin, 'default'));
    expect(log).toEqual([
      `${join(bin, 'default')} runs the model; its own requirements are not installed, as nothing is built.`,
    ]);
  });

  test.each([
    [needs()],
    [needs({ image: null })],
    [needs({ condaFile: null })],
    [needs({ image: 'mcr.microsoft.com/azureml/openmpi4.1.0-ubuntu20.04' })],
    [needs({ image: null, condaFile: null, requirements: 'six' })],
  ])('an environment that nobody provides is refused with both ways to provide it: %j', async (asked) => {
    const fault = new ModelFault(
      'There is no Python interpreter for azureml:heart-env:3: name one with ' +
        'BATCHPOINT_PYTHON_ENVIRONMENTS={"heart-env":"/path/to/python"}; or have environments built with ' +
        'BATCHPOINT_BUILD_ENVIRONMENTS=true.',
    );
    const all = await environments({ 'heart-env:2': '/other', heart: '/other' });
    await expect(all.check(asked)).rejects.toEqual(fault);
    await expect(all.interpreter(asked, () => undefined)).rejects.toEqual(fault);
  });

  test('an image alone cannot be built', async () => {
    const all = await environments({}, true);
    await expect(all.check(needs({ condaFile: null }))).rejects.toThrow(
      'name one with BATCHPOINT_PYTHON_ENVIRONMENTS={"heart-env":"/path/to/python"}; it has no conda file to build it from.',
    );
  });

  test('a file that cannot be read is refused before anything is started', async () => {
    const all = await environments({}, true);
    await expect(all.check(needs({ condaFile: 'a: [' }))).rejects.toThrow(/is not YAML/);
    expect(await readdir(bin)).toEqual(['default']);
  });

  test.each([
    ['is not there', '/no/such/python', 'there is none'],
    ['fails', 'failing', 'broken library'],
    ['is another program', 'chatty', 'Unexpected token'],
  ])('an interpreter of the map that %s is refused when the deployment is made', async (_case, name, reason) => {
    await program('failing', 'echo broken library >&2; exit 1');
    await program('chatty', 'echo hello');
    const all = await environments({ 'heart-*': join(name.startsWith('/') ? '/' : bin, name) });
    const check = all.check(needs());
    await expect(check).rejects.toBeInstanceOf(ModelFault);
    await expect(check).rejects.toThrow(
      /^The Python interpreter .* of "heart-\*" in BATCHPOINT_PYTHON_ENVIRONMENTS cannot/,
    );
    await expect(check).rejects.toThrow(reason);
  });

  test('an interpreter is told nothing of the app', async () => {
    const spy = await program(
      'spy',
      `env > ${join(bin, 'seen')}; echo '{"base": "${join(bin, 'spy')}", "version": "3.11.7"}'`,
    );
    const own = { PATH: process.env['PATH'], IDENTITY_HEADER: 'hush', BATCHPOINT_STATE: 'hush' };
    const root = join(bin, 'root');
    const all = pythonEnvironments({
      python: spy,
      map: {},
      build: false,
      root,
      maxBytes: 0,
      own,
      say: () => undefined,
    });
    await all.check(needs({ label: 'no environment', image: null, condaFile: null }));
    expect(await readFile(join(bin, 'seen'), 'utf8')).not.toContain('hush');
  });
});
