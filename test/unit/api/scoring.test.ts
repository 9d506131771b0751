import { beforeEach, describe, expect, it } from 'vitest';
import { Extensions } from '../../../shared/domain/settings.ts';
import {
  BASE,
  CALLER,
  NOW,
  SYSTEM_DATA,
  WORKSPACE,
  deployHeart,
  errorOf,
  worldMaker,
  type World,
} from './api-world.ts';

const JOBS = '/endpoints/heart-ep/jobs';
const INPUT = { UriFolder: { uri: 'azureml://datastores/workspaceblobstore/paths/heart/', jobInputType: 'UriFolder' } };

const freshWorld = worldMaker();
let world: World;

beforeEach(async () => {
  world = await freshWorld();
  await deployHeart(world);
});

const nameOf = (answer: { body: unknown }): string => (answer.body as { name: string }).name;

const invoke = (body: unknown = { properties: { inputData: INPUT } }, headers: Record<string, string> = {}) =>
  world.call('POST', JOBS, { body, headers });

describe('invoke', () => {
  it('answers 201 with the job as Azure ML shows it, and starts it', async () => {
    const answer = await invoke();
    const name = nameOf(answer);
    expect(name).toMatch(/^batchjob-[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
    expect(answer).toMatchObject({ status: 201 });
    expect(answer.body).toEqual({
      id: `${WORKSPACE}/batchEndpoints/heart-ep/deployments/blue/jobs/${name}`,
      name,
      type: 'Microsoft.MachineLearningServices/workspaces/batchEndpoints/deployments/jobs',
      properties: {
        provisioningState: 'Succeeded',
        description: null,
        inputData: {
          UriFolder: {
            description: null,
            uri: 'azureml://datastores/workspaceblobstore/paths/heart/',
            mode: 'ReadOnlyMount',
            jobInputType: 'UriFolder',
          },
        },
        miniBatchSize: 10,
        errorThreshold: -1,
        maxConcurrencyPerInstance: 1,
        compute: {
          target: null,
          instanceCount: 1,
          isLocal: false,
          location: null,
          instanceType: null,
          properties: null,
        },
        outputFileName: 'predictions.csv',
        output: { datastoreId: null, path: null },
        retrySettings: { maxRetries: 3, timeout: 'PT30S' },
        status: 'Preparing',
        loggingLevel: 'Info',
        interactionEndpoints: {
          Tracking: { jobEndpointType: 'Tracking', port: null, endpoint: null, properties: null },
          Studio: {
            jobEndpointType: 'Studio',
            port: null,
            endpoint: `${BASE}/jobs/${name}?wsid=${WORKSPACE}`,
            properties: null,
          },
        },
        tags: {
          'azureml.batchrun': 'true',
          'azureml.deploymentname': 'blue',
          'azureml.jobtype': 'azureml.batchjob',
          inputType: 'input_data',
          outputType: 'output_data',
        },
        properties: {
          'azureml.pipelineid': name.slice('batchjob-'.length),
          'azureml.runsource': 'azureml.PipelineRun',
          runSource: 'Unavailable',
          runType: 'HTTP',
          'azureml.parameters':
            '{"run_max_try":"3","run_invocation_timeout":"30","mini_batch_size":"10","error_threshold":"-1","logging_level":"INFO","process_count_per_node":"1","legacy_model_job":"False","NodeCount":"1","append_row_file_name":"predictions.csv"}',
          'azureml.continue_on_step_failure': 'False',
          'azureml.continue_on_failed_optional_input': 'False',
          'azureml.pipelineComponent': 'pipelinerun',
          'batchpoint.createdBy': CALLER,
          'batchpoint.runAs': 'app',
        },
        name,
      },
      systemData: SYSTEM_DATA,
    });
    expect(Object.fromEntries(answer.headers)).toMatchObject({
      'azureml-model-deployment': 'blue',
      'x-ms-response-type': 'standard',
      'x-request-id': expect.stringMatching(/^[0-9a-f-]{36}$/) as string,
      location: `${BASE}${JOBS}/${name}`,
    });
    expect(world.started).toEqual([name]);
  });

  it('reads the body of Data Factory and .NET: other case, numbers as strings, nulls', async () => {
    const answer = await invoke({
      Properties: {
        InputData: { d: { JobInputType: 'urifile', Uri: 'https://acct.blob.core.windows.net/data/a%20b.csv' } },
        OutputData: { s: { JobOutputType: 'UriFile', Uri: 'azureml://datastores/WorkspaceBlobStore/paths/o/p.csv' } },
        MiniBatchSize: '5',
        ErrorThreshold: '7',
        LoggingLevel: 'DEBUG',
        OutputFileName: null,
        Compute: { InstanceCount: '3', Target: 'ignored' },
        RetrySettings: { MaxRetries: '2', Timeout: 'PT1M30S' },
        MaxConcurrencyPerInstance: '4',
        Name: 'nightly',
        Description: 'text',
        Tags: { Owner: 'me', count: 3 },
        Properties: { experimentName: 'e', 'Batchpoint.OutputFormat': 'azureml', 'batchpoint.recursive': 'true' },
      },
    });
    expect(answer.status).toBe(201);
    expect(await world.jobs.spec(nameOf(answer))).toEqual({
      name: nameOf(answer),
      displayName: 'nightly',
      endpoint: 'heart-ep',
      deployment: 'blue',
      description: 'text',
      tags: { Owner: 'me', count: '3' },
      properties: { experimentName: 'e', 'Batchpoint.OutputFormat': 'azureml', 'batchpoint.recursive': 'true' },
      model: { name: 'heart', version: '1' },
      settings: {
        miniBatchSize: 5,
        maxConcurrencyPerInstance: 4,
        instanceCount: 3,
        maxRetries: 2,
        timeoutSeconds: 90,
        errorThreshold: 7,
        outputFileName: 'predictions.csv',
        outputAction: 'AppendRow',
        loggingLevel: 'Debug',
      },
      extensions: Extensions.parse({ outputFormat: 'azureml', recursive: true }),
      environmentVariables: {},
      input: {
        name: 'd',
        kind: 'UriFile',
        uri: 'https://acct.blob.core.windows.net/data/a%20b.csv',
        mode: 'ReadOnlyMount',
        description: null,
      },
      output: {
        name: 's',
        kind: 'UriFile',
        uri: 'azureml://datastores/WorkspaceBlobStore/paths/o/p.csv',
        mode: 'ReadWriteMount',
        description: null,
      },
      createdBy: CALLER,
      createdAt: NOW,
      requestHash: expect.stringMatching(/^[0-9a-f]{64}$/) as string,
      places: ['endpoint heart-ep', 'deployment heart-ep/blue', `caller ${CALLER}`].map((group) => ({
        group,
        slot: expect.stringMatching(/^\d{5}$/) as string,
      })),
    });
  });

  it('takes the deployment of the header before the default', async () => {
    await world.call('PUT', `${WORKSPACE}/batchEndpoints/heart-ep/deployments/green`, {
      body: { properties: { model: { assetId: 'azureml:heart@latest' }, miniBatchSize: 2 } },
    });
    const answer = await invoke(undefined, { 'azureml-model-deployment': 'GREEN' });
    expect(answer.headers.get('azureml-model-deployment')).toBe('green');
    expect(answer.body).toMatchObject({
      properties: { miniBatchSize: 2, tags: { 'azureml.deploymentname': 'green' } },
    });
  });

  it('lets the invocation overrule the deployment, and the deployment the app', async () => {
    world = await freshWorld({ appExtensions: { missing: 'nan', csvDelimiter: ';', outputFormat: 'azureml' } });
    await deployHeart(world);
    await world.call('PATCH', `${WORKSPACE}/batchEndpoints/heart-ep/deployments/blue`, {
      body: { properties: { properties: { 'batchpoint.csvDelimiter': '|', 'batchpoint.csvHeader': 'false' } } },
    });
    const answer = await invoke({ properties: { inputData: INPUT, properties: { 'batchpoint.csvHeader': 'true' } } });
    expect((await world.jobs.spec(nameOf(answer)))?.extensions).toEqual({
      outputFormat: 'azureml',
      miniBatchUnit: 'files',
      recursive: false,
      csvHeader: true,
      csvDelimiter: '|',
      missing: 'nan',
    });
  });

  it.each(['repeatability_request-id', 'Repeatability-Request-ID', 'Idempotency-Key'])(
    'makes one job of a request that is repeated under the same %s',
    async (header) => {
      const first = await invoke(undefined, { [header]: 'once' });
      const again = await invoke({ Properties: { INPUTDATA: INPUT } }, { [header]: 'once' });
      expect([again.status, again.body]).toEqual([201, first.body]);
      const other = await invoke({ properties: { inputData: INPUT, miniBatchSize: 3 } }, { [header]: 'once' });
      expect(errorOf(other)).toMatchObject({ status: 409, code: 'Conflict' });
      expect(nameOf(await invoke(undefined, { [header]: 'twice' }))).not.toBe(nameOf(first));
    },
  );

  it('keeps the request ids of two callers apart', async () => {
    const first = await invoke(undefined, { 'Idempotency-Key': 'x' });
    const token = await world.issuer.sign({ audience: 'https://ml.azure.com', objectId: 'somebody-else' });
    const second = await invoke(undefined, { 'Idempotency-Key': 'x', authorization: `Bearer ${token}` });
    expect([first.status, second.status]).toEqual([201, 201]);
    expect(nameOf(second)).not.toBe(nameOf(first));
  });
});
