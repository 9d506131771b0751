import { beforeEach, describe, expect, it } from 'vitest';
import { collect } from '../../../shared/storage/json-blobs.ts';
import { WORKSPACE, deployHeart, errorOf, worldMaker, type World } from './api-world.ts';

const CODE = `${WORKSPACE}/codes/scoring/versions/1`;
const codeUri = 'azureml://datastores/workspaceblobstore/paths/src';

const freshWorld = worldMaker();
let world: World;

beforeEach(async () => {
  world = await freshWorld();
});

const upload = (name: string, text: string) =>
  world.dataBlobs.write({ container: 'data', name }, new TextEncoder().encode(text));

const register = () => world.call('PUT', CODE, { body: { properties: { codeUri } } });

/** What the app's own container holds of code. */
async function copies(): Promise<Record<string, string>> {
  const files: Record<string, string> = {};
  for await (const { name } of world.systemBlobs.list('batchpoint-codes')) {
    const found = await world.systemBlobs.read({ container: 'batchpoint-codes', name });
    if (found) files[name] = new TextDecoder().decode(await collect(found.body));
  }
  return files;
}

describe('a code version', () => {
  it('is a copy: a later write to its source changes nothing', async () => {
    await upload('src/score.py', 'first');
    await upload('src/lib/tools.py', 'tools');
    expect((await register()).status).toBe(201);
    await upload('src/score.py', 'second');
    expect((await register()).status).toBe(200);
    expect(await copies()).toEqual({ 'scoring/1/score.py': 'first', 'scoring/1/lib/tools.py': 'tools' });
  });

  it('shows nothing of its copy', async () => {
    await upload('src/score.py', 'first');
    const made = await register();
    expect(made.body).toMatchObject({ name: '1', properties: { codeUri } });
    expect(JSON.stringify(made.body)).not.toContain('score.py');
  });

  it('is not registered without files', async () => {
    expect(errorOf(await register())).toEqual({
      status: 400,
      code: 'UserError',
      target: 'properties.codeUri',
      message: "There is no file and no folder with files at 'src' in datastore workspaceblobstore.",
    });
    expect((await world.call('GET', CODE)).status).toBe(404);
  });

  it('stays while a deployment uses it, and takes its files with it', async () => {
    await deployHeart(world);
    await upload('src/score.py', 'first');
    await register();
    const deployment = `${WORKSPACE}/batchEndpoints/heart-ep/deployments/blue`;
    const codeConfiguration = { codeId: CODE, scoringScript: 'score.py' };
    const used = await world.call('PATCH', deployment, { body: { properties: { codeConfiguration } } });
    expect(used.status).toBe(200);
    for (const path of [CODE, `${WORKSPACE}/codes/scoring`])
      expect(errorOf(await world.call('DELETE', path))).toMatchObject({
        status: 409,
        message: "Code 'scoring' version '1' is used by deployment 'blue' of endpoint 'heart-ep'; remove that first.",
      });
    await world.call('PATCH', deployment, { body: { properties: { codeConfiguration: null } } });
    expect((await world.call('DELETE', CODE)).status).toBe(200);
    expect(await copies()).toEqual({});
  });
});
