import { beforeEach, describe, expect, it } from 'vitest';
import { childRunOf } from '../../../shared/domain/child-run.ts';
import { workspaceGuid } from '../../../shared/domain/uri.ts';
import { WORKSPACE, deployHeart, errorOf, worldMaker, type World } from './api-world.ts';
import { endJob, makeJob } from './runs-world.ts';

const STORE = 'azureml://datastores/workspaceblobstore/paths';
const GUID = workspaceGuid({ subscriptionId: 'sub-1', resourceGroup: 'rg-1', workspace: 'ws-1' });
const UNSET = { description: null, mode: 'ReadOnlyMount' };

const freshWorld = worldMaker();
let world: World;

beforeEach(async () => {
  world = await freshWorld();
  await deployHeart(world);
  await register('1', 'uri_folder', `${STORE}/v1/`);
  world.clock.time++;
  await register('2', 'uri_folder', `${STORE}/v2/`);
});

async function register(version: string, dataType: string, dataUri: string, name = 'patients'): Promise<void> {
  const body = { properties: { dataType, dataUri } };
  const { status } = await world.call('PUT', `${WORKSPACE}/data/${name}/versions/${version}`, { body });
  expect(status).toBe(201);
}

const invoke = (properties: Readonly<Record<string, unknown>>) =>
  world.call('POST', '/endpoints/heart-ep/jobs', { body: { properties } });

/** What the job reads. */
async function inputOf(uri: string, jobInputType = 'UriFolder') {
  const answer = await invoke({ inputData: { any: { uri, jobInputType } } });
  expect(answer.status, JSON.stringify(answer.body)).toBe(201);
  const { name } = answer.body as { name: string };
  return (await world.jobs.spec(name))?.input;
}

describe('a data asset as input', () => {
  it.each([
    ['its ARM id', `${WORKSPACE}/data/patients/versions/1`, 'v1'],
    ['its ARM id with a prefix', `azureml:${WORKSPACE}/data/patients/versions/1`, 'v1'],
    ['its long id', 'azureml://subscriptions/sub-1/resourcegroups/rg-1/workspaces/ws-1/data/patients/versions/1', 'v1'],
    ['its short id', 'azureml://locations/westeurope/workspaces/ws-1/data/patients/versions/1', 'v1'],
    [
      "its short id with the workspace's guid",
      `azureml://locations/x/workspaces/${GUID}/data/patients/versions/1`,
      'v1',
    ],
    ['its name and version', 'azureml:patients:1', 'v1'],
    ['its name and label', 'azureml:patients@latest', 'v2'],
    ['the typo of the documents', 'azureml:/patients@latest', 'v2'],
    ['the label of its short id', 'azureml://locations/x/workspaces/ws-1/data/patients/versions/labels/latest', 'v2'],
    ['the label of its ARM id', `${WORKSPACE}/data/patients/labels/latest`, 'v2'],
  ])('is found by %s', async (_how, uri, folder) => {
    expect(await inputOf(uri)).toEqual({
      ...UNSET,
      name: 'any',
      kind: 'UriFolder',
      uri,
      source: `${STORE}/${folder}/`,
    });
  });

  it('says itself whether it is a file', async () => {
    await register('1', 'uri_file', `${STORE}/one.csv`, 'one');
    expect(await inputOf('azureml:one:1', 'UriFolder')).toMatchObject({ kind: 'UriFile', source: `${STORE}/one.csv` });
  });

  it('is pinned when the job is made', async () => {
    const answer = await invoke({ inputData: { any: { uri: 'azureml:patients@latest', jobInputType: 'UriFolder' } } });
    world.clock.time++;
    await register('3', 'uri_folder', `${STORE}/v3/`);
    const { name } = answer.body as { name: string };
    expect((await world.jobs.spec(name))?.input.source).toBe(`${STORE}/v2/`);
  });

  it.each([
    ['that is not registered', 'azureml:nobody:1', "data asset 'nobody' version '1' is not registered."],
    [
      'of a version that is not registered',
      'azureml:patients:9',
      "data asset 'patients' version '9' is not registered.",
    ],
    ['of another label', 'azureml:patients@best', "the only label of a data asset is 'latest', not 'best'."],
    [
      'of another workspace',
      `${WORKSPACE.replace('ws-1', 'ws-2')}/data/patients/versions/1`,
      'the data asset is not in this workspace.',
    ],
  ])('%s is refused', async (_which, uri, message) => {
    const before = world.writes.length;
    const answer = await invoke({ inputData: { any: { uri, jobInputType: 'UriFolder' } } });
    const target = 'properties.inputData.any.uri';
    expect(errorOf(answer)).toEqual({ status: 400, code: 'UserError', target, message: `${target}: ${message}` });
    expect(world.writes.slice(before)).toEqual([]);
  });
});

describe("an earlier job's output as input", () => {
  const OUTPUT = `${STORE}/azureml/j/score/predictions.csv`;

  /** A job that has ended with this output, or without one. */
  async function endedJob(outputUri: string | undefined, outputData?: object): Promise<string> {
    const inputData = { in: { jobInputType: 'UriFolder', uri: `${STORE}/in/` } };
    const { name } = (await invoke({ inputData, ...(outputData && { outputData }) })).body as { name: string };
    const failed = { state: 'failed', reason: { code: 'Odd', message: 'It was odd.' } } as const;
    await endJob(world, name, outputUri === undefined ? failed : { state: 'completed', outputUri });
    return name;
  }

  it.each([
    ['the folder of its predictions', '', 'UriFolder', ''],
    ['all that is below it', '/paths/', 'UriFolder', ''],
    ['the file by its path', '/paths/predictions.csv', 'UriFile', 'predictions.csv'],
    ['a folder below it', '/paths/a%20b/', 'UriFolder', 'a%20b/'],
  ])('is %s', async (_what, path, kind, found) => {
    const job = await endedJob(OUTPUT);
    const uri = `azureml://jobs/${job}/outputs/score${path}`;
    const source = `${STORE}/azureml/j/score/${found}`;
    expect(await inputOf(uri, kind)).toEqual({ ...UNSET, name: 'any', kind, uri, source });
  });

  it("is the caller's own file, by the caller's name too", async () => {
    const own = { mine: { jobOutputType: 'UriFile', uri: `${STORE}/out/x.csv` } };
    const job = await endedJob(`${STORE}/out/x.csv`, own);
    for (const output of ['score', 'Mine'])
      expect(await inputOf(`azureml://jobs/${job}/outputs/${output}`, 'UriFile')).toMatchObject({
        ...{ kind: 'UriFile', source: `${STORE}/out/x.csv` },
      });
  });

  it('is found by the name of the child run, which clients download from', async () => {
    const job = await endedJob(OUTPUT);
    const uri = `azureml://jobs/${childRunOf(job)}/outputs/score/paths/predictions.csv`;
    expect(await inputOf(uri, 'UriFile')).toMatchObject({ source: OUTPUT });
  });

  it.each<[string, () => Promise<string>, string]>([
    ['a job that is not there', async () => 'azureml://jobs/nobody/outputs/score', "there is no job 'nobody'."],
    ['a name that no job has', async () => 'azureml://jobs/a%2Fb/outputs/score', "there is no job 'a%2Fb'."],
    [
      'an output that it has not',
      async () => `azureml://jobs/${await endedJob(OUTPUT)}/outputs/model`,
      "job 'NAME' has no output 'model', but 'score'.",
    ],
    [
      'one that ended without',
      async () => `azureml://jobs/${await endedJob(undefined)}/outputs/score`,
      "job 'NAME' ended without an output.",
    ],
    [
      'one that has not ended',
      async () => `azureml://jobs/${await makeJob(world)}/outputs/score`,
      "job 'NAME' has not ended yet.",
    ],
    [
      'a run of MLflow',
      async () => 'runs:/abc/model',
      "'runs:/abc/model' is of an MLflow run, and this app keeps none; a job's output is azureml://jobs/<job>/outputs/score.",
    ],
  ])('is refused: %s', async (_which, make, text) => {
    const uri = await make();
    const before = world.writes.length;
    const answer = await invoke({ inputData: { any: { uri, jobInputType: 'UriFolder' } } });
    const target = 'properties.inputData.any.uri';
    const message = text.replace('NAME', /jobs\/([^/]+)/.exec(uri)?.[1] ?? '');
    const said = uri.startsWith('runs:') ? message : `${target}: ${message}`;
    expect(errorOf(answer)).toEqual({ status: 400, code: 'UserError', target, message: said });
    expect(world.writes.slice(before)).toEqual([]);
  });
});

describe('a place as input', () => {
  it.each([
    [`${STORE}/in/`],
    ['azureml://subscriptions/sub-1/resourcegroups/rg-1/workspaces/ws-1/datastores/workspaceblobstore/paths/in/'],
    [`azureml:${WORKSPACE}/datastores/workspaceblobstore/paths/in/`],
    ['https://acct.blob.core.windows.net/data/in/'],
    ['https://acct.blob.core.windows.net/data/workspaces/w/data/in/'],
    ['wasbs://data@acct.blob.core.windows.net/in/'],
  ])('is read where it is: %s', async (uri) => {
    expect(await inputOf(uri)).toEqual({ ...UNSET, name: 'any', kind: 'UriFolder', uri });
  });
});

describe('the forms of other clients', () => {
  const specOf = async (properties: Readonly<Record<string, unknown>>) => {
    const answer = await world.call('POST', '/endpoints/heart-ep/jobs', { body: { Properties: properties } });
    expect(answer.status, JSON.stringify(answer.body)).toBe(201);
    return world.jobs.spec((answer.body as { name: string }).name);
  };
  const InputData = { any: { JobInputType: 'UriFolder', Uri: `${STORE}/in/` } };

  it('of .NET are in capitals, with numbers as texts', async () => {
    const spec = await specOf({
      InputData,
      OutputData: { Score: { JobOutputType: 'UriFile', Uri: `${STORE}/out/x.csv` } },
      MiniBatchSize: '3',
      Compute: { InstanceCount: '2', Target: null },
      RetrySettings: { MaxRetries: '2', Timeout: 'PT45S' },
      LoggingLevel: 'warning',
      OutputFileName: 'mine.csv',
    });
    expect(spec?.settings).toMatchObject({
      ...{ miniBatchSize: 3, instanceCount: 2, maxRetries: 2, timeoutSeconds: 45, loggingLevel: 'Warning' },
      outputFileName: 'mine.csv',
    });
    expect(spec?.output).toMatchObject({ kind: 'UriFile', uri: `${STORE}/out/x.csv` });
  });

  it('of older scripts send a dataset and an output dataset', async () => {
    const spec = await specOf({
      dataset: { dataInputType: 'DataUrl', Path: 'https://acct.blob.core.windows.net/data/in' },
      outputDataset: { datastoreId: `azureml:${WORKSPACE}/datastores/workspaceblobstore`, path: '/out/' },
    });
    expect(spec?.input).toMatchObject({ kind: 'UriFolder', uri: 'https://acct.blob.core.windows.net/data/in' });
    expect(spec?.output).toMatchObject({
      ...{ kind: 'UriFolder', uri: `${WORKSPACE}/datastores/workspaceblobstore/paths/out` },
    });
  });

  it('of the SDK join an output dataset and a file name', async () => {
    const uri = 'azureml://datastores/azureml:workspaceblobstore/paths//out//mine.csv';
    const spec = await specOf({ InputData, outputData: { output_name: { uri, jobOutputType: 'UriFile' } } });
    expect(spec?.output?.uri).toBe(`${STORE}/out/mine.csv`);
  });
});
