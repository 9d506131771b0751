import { beforeEach, describe, expect, it } from 'vitest';
import { BASE, SYSTEM_DATA, WORKSPACE, deployHeart, errorOf, worldMaker, type World } from './api-world.ts';
import { pipelineSpec } from '../../support/job-specs.ts';
import { makeJob } from './runs-world.ts';

const JOBS = `${WORKSPACE}/jobs`;

const freshWorld = worldMaker();
let world: World;

beforeEach(async () => {
  world = await freshWorld();
  await deployHeart(world);
});

interface Resource {
  readonly properties: { readonly displayName: string; readonly properties: Readonly<Record<string, string>> };
}
interface Page {
  value: { name: string }[];
  nextLink: string | null;
}
const listed = async (path: string): Promise<Page> => (await world.call('GET', path)).body as Page;
const namesIn = async (path: string): Promise<string[]> => (await listed(path)).value.map(({ name }) => name);

/** Each a millisecond younger than the one before. */
async function makeJobs(count: number, properties: Readonly<Record<string, unknown>> = {}): Promise<string[]> {
  const names: string[] = [];
  for (let i = 0; i < count; i++) {
    world.clock.time++;
    names.push(await makeJob(world, properties));
  }
  return names;
}

describe('a job of the workspace', () => {
  it("is the recorded exchange's superset", async () => {
    const name = await makeJob(world, { name: 'mango_island', tags: { team: 'a' } });
    const { status, body } = await world.call('GET', `${JOBS}/${name}?api-version=2024-01-01-preview`);
    const service = { port: null, status: null, errorMessage: null, properties: null, nodes: null };
    expect(status).toBe(200);
    expect(body).toMatchObject({
      id: `${WORKSPACE}/jobs/${name}`,
      name,
      type: 'Microsoft.MachineLearningServices/workspaces/jobs',
      properties: {
        description: 'Pipeline submission for endpoint: heart-ep, deployment: blue.',
        tags: {
          team: 'a',
          'azureml.batchrun': 'true',
          'azureml.deploymentname': 'blue',
          'azureml.jobtype': 'azureml.batchjob',
          inputType: 'input_data',
          outputType: 'output_data',
        },
        properties: {
          'azureml.pipelineid': name.replace('batchjob-', ''),
          'azureml.runsource': 'azureml.PipelineRun',
          runSource: 'Unavailable',
          runType: 'HTTP',
          'azureml.parameters': JSON.stringify({
            run_max_try: '3',
            run_invocation_timeout: '30',
            mini_batch_size: '10',
            error_threshold: '-1',
            logging_level: 'INFO',
            process_count_per_node: '1',
            legacy_model_job: 'False',
            NodeCount: '1',
            append_row_file_name: 'predictions.csv',
          }),
          'azureml.continue_on_step_failure': 'False',
          'azureml.continue_on_failed_optional_input': 'False',
          'azureml.pipelineComponent': 'pipelinerun',
        },
        displayName: 'mango_island',
        status: 'Preparing',
        experimentName: 'heart-ep',
        services: {
          Tracking: { jobServiceType: 'Tracking', endpoint: null, ...service },
          Studio: { jobServiceType: 'Studio', endpoint: `${BASE}/jobs/${name}?wsid=${WORKSPACE}`, ...service },
        },
        computeId: null,
        isArchived: false,
        identity: null,
        componentId: null,
        jobType: 'Pipeline',
        settings: null,
        jobs: null,
        inputs: null,
        outputs: null,
        sourceJobId: null,
      },
      systemData: SYSTEM_DATA,
    });
  });

  it("is filed under the caller's experiment", async () => {
    const name = await makeJob(world, { properties: { experimentName: 'nightly' } });
    expect((await world.call('GET', `${JOBS}/${name}`)).body).toMatchObject({
      properties: { experimentName: 'nightly' },
    });
  });

  it('without properties is the child run of one', async () => {
    const name = await makeJob(world);
    const child = name.replace('batchjob-', '');
    expect((await world.call('GET', `${JOBS}/${child}`)).body).toEqual({
      id: `${WORKSPACE}/jobs/${child}`,
      name: child,
      type: 'Microsoft.MachineLearningServices/workspaces/jobs',
      properties: null,
      systemData: SYSTEM_DATA,
    });
  });

  it('is archived and restored by putting it back', async () => {
    const name = await makeJob(world);
    const { body } = await world.call('GET', `${JOBS}/${name}`);
    const { properties } = body as { properties: object };
    const put = (isArchived: boolean) =>
      world.call('PUT', `${JOBS}/${name}`, { body: { properties: { ...properties, isArchived } } });
    expect((await put(true)).body).toMatchObject({ properties: { isArchived: true } });
    expect([await namesIn(JOBS), await namesIn(`${JOBS}?listViewType=ArchivedOnly`)]).toEqual([[], [name]]);
    expect((await put(false)).body).toMatchObject({ properties: { isArchived: false } });
    expect([await namesIn(JOBS), await namesIn(`${JOBS}?listViewType=ArchivedOnly`)]).toEqual([[name], []]);
  });

  it.each(['none', 'a%2Fb', 'x'.repeat(1000), '..', 'æ'])('is a 404 when it is not there: %s', async (name) => {
    expect(errorOf(await world.call('GET', `${JOBS}/${name}`))).toMatchObject({ status: 404 });
  });
});

describe('the jobs of the workspace', () => {
  it('are those of all endpoints, newest first, a page after the other', async () => {
    const names = (await makeJobs(5)).reverse();
    const seen: string[][] = [];
    for (let path: string | null = `${JOBS}?$top=2&listViewType=ActiveOnly`; path !== null;) {
      const page: Page = await listed(path);
      seen.push(page.value.map(({ name }) => name));
      path = page.nextLink;
    }
    expect(seen).toEqual([names.slice(0, 2), names.slice(2, 4), names.slice(4)]);
  });

  it('are none at first', async () => {
    expect(await listed(JOBS)).toEqual({ value: [], nextLink: null });
  });

  it('are found by view, type and tag', async () => {
    const [old = ''] = await makeJobs(1);
    const [tagged = ''] = await makeJobs(1, { tags: { team: 'a' } });
    await world.call('PUT', `${JOBS}/${old}`, { body: { properties: { isArchived: true } } });
    expect(await namesIn(`${JOBS}?listViewType=All`)).toEqual([tagged, old]);
    expect(await namesIn(`${JOBS}?listViewType=archivedonly`)).toEqual([old]);
    expect(await namesIn(`${JOBS}?jobType=Pipeline`)).toEqual([tagged]);
    expect(await namesIn(`${JOBS}?jobType=Command`)).toEqual([]);
    expect(await namesIn(`${JOBS}?listViewType=All&tag=team`)).toEqual([tagged]);
    expect(await namesIn(`${JOBS}?tag=team%3Da`)).toEqual([tagged]);
    expect(await namesIn(`${JOBS}?tag=team%3Db`)).toEqual([]);
    expect(errorOf(await world.call('GET', `${JOBS}?listViewType=Some`))).toMatchObject({
      status: 400,
      target: 'listViewType',
    });
  });

  it('are pipelines, too, each as it is by itself but for the progress of its steps', async () => {
    const [scoring = ''] = await makeJobs(1);
    world.clock.time++;
    const spec = pipelineSpec('piped', { createdAt: new Date(world.clock.time).toISOString() });
    await world.pipelines.create(spec);
    for (const name of [scoring, 'piped']) {
      const change = { properties: { displayName: `new ${name}`, tags: { is: name } } };
      expect((await world.call('PUT', `${JOBS}/${name}`, { body: change })).status).toBe(200);
    }
    const [piped, scored] = await Promise.all(
      ['piped', scoring].map(async (name) => (await world.call('GET', `${JOBS}/${name}`)).body as Resource),
    );
    const {
      'batchpoint.steps': steps,
      'batchpoint.stepsCompleted': completed,
      ...properties
    } = piped?.properties.properties ?? {};
    expect([steps, completed, piped?.properties.displayName]).toEqual(['1', '0', 'new piped']);
    expect((await listed(JOBS)).value).toEqual([
      { ...piped, properties: { ...piped?.properties, properties } },
      scored,
    ]);
  });

  it('are read a page at a time, however many there are', async () => {
    const [first = ''] = await makeJobs(1);
    const spec = await world.jobs.spec(first);
    if (!spec) throw new Error('the job has no spec');
    for (let i = 0; i < 1000; i++) await world.jobs.create({ ...spec, name: `batchjob-${i}` });
    world.reads();
    const page = await listed(`${JOBS}?$top=50`);
    expect([page.value.length, page.nextLink === null]).toEqual([50, false]);
    // A record and its edits for each; not one blob.
    const { rows: _months, ...reads } = world.reads();
    expect(reads).toEqual({ row: 100 });
  });
});

describe("an endpoint's jobs at the workspace's host", () => {
  const MFE = `/mferp/managementfrontend${WORKSPACE}/batchEndpoints/heart-ep`;
  const inputData = { input: { jobInputType: 'UriFile', uri: 'azureml://datastores/workspaceblobstore/paths/a.csv' } };

  it.each([
    ['the endpoint', `${MFE}/jobs`],
    ['the deployment', `${MFE}/deployments/blue/jobs`],
  ])('are made, listed and read of %s', async (_of, path) => {
    const made = await world.call('POST', `${path}?api-version=2020-09-01-dataplanepreview`, {
      body: { properties: { inputData } },
    });
    expect(made.status).toBe(201);
    const { name } = made.body as { name: string };
    expect(await listed(`${path}?api-version=2020-09-01-dataplanepreview`)).toEqual({
      value: [made.body],
      nextLink: null,
    });
    expect((await world.call('GET', `${path}/${name}`)).body).toEqual(made.body);
  });

  it('of a deployment are not those of another', async () => {
    await makeJob(world);
    expect(await listed(`${MFE}/deployments/green/jobs`)).toEqual({ value: [], nextLink: null });
    expect(
      errorOf(await world.call('POST', `${MFE}/deployments/green/jobs`, { body: { properties: { inputData } } })),
    ).toMatchObject({ status: 404 });
  });

  it('of an endpoint that is not there are a 404', async () => {
    expect(errorOf(await world.call('GET', `${MFE}x/jobs`))).toMatchObject({ status: 404 });
  });
});

it('a job is not deleted, and says what to do instead', async () => {
  const name = await makeJob(world);
  expect(errorOf(await world.call('DELETE', `${JOBS}/${name}`))).toEqual({
    status: 405,
    code: 'MethodNotAllowed',
    target: undefined,
    message: `Jobs are not deleted: their records and receipts tell where each output came from. Archive job '${name}' instead.`,
  });
  expect(await namesIn(JOBS)).toEqual([name]);
});
