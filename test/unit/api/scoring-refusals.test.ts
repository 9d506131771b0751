import { beforeAll, describe, expect, it } from 'vitest';
import { WORKSPACE, deployHeart, errorOf, worldMaker, type Call, type World } from './api-world.ts';

const JOBS = '/endpoints/heart-ep/jobs';
const URI = 'azureml://datastores/workspaceblobstore/paths/heart';

const freshWorld = worldMaker();
let world: World;

beforeAll(async () => {
  world = await freshWorld();
  await deployHeart(world);
  await world.call('PUT', `${WORKSPACE}/batchEndpoints/bare`, { body: {} });
});

const input = (one: unknown) => ({ inputData: { heart: one } });
const folder = { jobInputType: 'UriFolder', uri: URI };
const good = input(folder);
const send = (properties: unknown): Call => ({ body: { properties } });
const at = (field: string) => `properties.${field}`;

/** What is sent, and the status and field that the answer names. */
const refused: [string, Call, number, string | undefined][] = [
  ['no properties', { body: {} }, 400, 'properties'],
  ['properties of another kind', send([]), 400, 'properties'],
  ['no input', send({}), 400, at('inputData')],
  ['an empty input', send({ inputData: {} }), 400, at('inputData')],
  ['inputs of another kind', send({ inputData: 'x' }), 400, at('inputData')],
  ['two inputs', send({ inputData: { a: folder, b: folder } }), 400, at('inputData')],
  [
    'a literal beside the data',
    send({ inputData: { a: folder, b: { jobInputType: 'Literal', value: 1 } } }),
    400,
    at('inputData.b.jobInputType'),
  ],
  ['an MLTable', send(input({ ...folder, jobInputType: 'MLTable' })), 400, at('inputData.heart.jobInputType')],
  ['an unknown kind', send(input({ ...folder, jobInputType: 'Uri' })), 400, at('inputData.heart.jobInputType')],
  ['no kind', send(input({ uri: URI })), 400, at('inputData.heart.jobInputType')],
  ['an unknown mode', send(input({ ...folder, mode: 'x' })), 400, at('inputData.heart.mode')],
  ['no uri', send(input({ jobInputType: 'UriFile' })), 400, at('inputData.heart.uri')],
  ['an empty uri', send(input({ ...folder, uri: '' })), 400, at('inputData.heart.uri')],
  ['a data asset', send(input({ ...folder, uri: 'azureml:heart:1' })), 400, at('inputData.heart.uri')],
  [
    'a signed URL',
    send(input({ ...folder, uri: 'https://acct.blob.core.windows.net/data/a?sig=S' })),
    400,
    at('inputData.heart.uri'),
  ],
  [
    'another account',
    send(input({ ...folder, uri: 'https://evil.blob.core.windows.net/data/a' })),
    403,
    at('inputData.heart.uri'),
  ],
  [
    'another datastore',
    send(input({ ...folder, uri: 'azureml://datastores/x/paths/a' })),
    403,
    at('inputData.heart.uri'),
  ],
  ['a way out of the folder', send(input({ ...folder, uri: `${URI}/%2e%2e/b` })), 400, at('inputData.heart.uri')],
  ['a folder as a file', send(input({ jobInputType: 'UriFile', uri: `${URI}/` })), 400, at('inputData.heart.uri')],
  ['an input given twice', { text: '{"properties":{"inputData":{},"InputData":{}}}' }, 400, at('inputData')],
  [
    'two outputs',
    send({ ...good, outputData: { a: { jobOutputType: 'UriFile' }, b: { jobOutputType: 'UriFile' } } }),
    400,
    at('outputData'),
  ],
  [
    'an output of another kind',
    send({ ...good, outputData: { a: { jobOutputType: 'MLTable', uri: URI } } }),
    400,
    at('outputData.a.jobOutputType'),
  ],
  [
    'an output elsewhere',
    send({ ...good, outputData: { a: { jobOutputType: 'UriFile', uri: 'https://evil.example/data/x' } } }),
    403,
    at('outputData.a.uri'),
  ],
  [
    'an output file that is a folder',
    send({ ...good, outputData: { a: { jobOutputType: 'UriFile', uri: `${URI}/` } } }),
    400,
    at('outputData.a.uri'),
  ],
  ['a word for a number', send({ ...good, miniBatchSize: 'many' }), 400, at('miniBatchSize')],
  ['half a file', send({ ...good, miniBatchSize: '1.5' }), 400, at('miniBatchSize')],
  ['no files', send({ ...good, miniBatchSize: 0 }), 400, at('miniBatchSize')],
  ['an error threshold below -1', send({ ...good, errorThreshold: -2 }), 400, at('errorThreshold')],
  ['no tries', send({ ...good, retrySettings: { maxRetries: 0 } }), 400, at('retrySettings.maxRetries')],
  [
    'a timeout that is no duration',
    send({ ...good, retrySettings: { timeout: '30' } }),
    400,
    at('retrySettings.timeout'),
  ],
  ['a timeout of nothing', send({ ...good, retrySettings: { timeout: 'PT0S' } }), 400, at('retrySettings.timeout')],
  [
    'a timeout that does not fit',
    send({ ...good, retrySettings: { timeout: 'PT29M' } }),
    400,
    at('retrySettings.timeout'),
  ],
  ['an output name that is a path', send({ ...good, outputFileName: '../x' }), 400, at('outputFileName')],
  ['an unknown logging level', send({ ...good, loggingLevel: 'loud' }), 400, at('loggingLevel')],
  ['too many instances', send({ ...good, compute: { instanceCount: 5000 } }), 400, at('compute.instanceCount')],
  ['a tag that is no text', send({ ...good, tags: { a: { b: 1 } } }), 400, at('tags.a')],
  [
    'an unknown extension',
    send({ ...good, properties: { 'batchpoint.colour': 'x' } }),
    400,
    at('properties.batchpoint.colour'),
  ],
  [
    'a wrong value of an extension',
    send({ ...good, properties: { 'batchpoint.recursive': 'yes' } }),
    400,
    at('properties.batchpoint.recursive'),
  ],
  ['the old dataset beside the input', send({ dataset: { path: URI }, ...good }), 400, at('dataset')],
  ['an old dataset of nothing', send({ dataset: { dataInputType: 'DataUrl' } }), 400, at('dataset')],
  [
    'an old output dataset without a datastore',
    send({ ...good, outputDataset: { path: 'x' } }),
    400,
    at('outputDataset.datastoreId'),
  ],
  ['partition keys', send({ ...good, partitionKeys: ['a'] }), 400, at('partitionKeys')],
  ['broken JSON', { text: '{"properties":' }, 400, undefined],
  ['a list', { text: '[]' }, 400, undefined],
  ['null', { text: 'null' }, 400, undefined],
  ['a body of spaces', { text: '  ' }, 400, undefined],
  ['an empty body', { text: '', headers: { 'content-length': '0' } }, 400, undefined],
  ['no body', {}, 411, undefined],
  ['a length that is no number', { ...send(good), headers: { 'content-length': '-1' } }, 411, undefined],
  ['a length above the limit', { ...send(good), headers: { 'content-length': '1048577' } }, 413, undefined],
  [
    'a body longer than it says',
    { text: ' '.repeat(1024 * 1024 + 1), headers: { 'content-length': '10' } },
    413,
    undefined,
  ],
  ['an unknown deployment', { ...send(good), headers: { 'azureml-model-deployment': 'red' } }, 404, undefined],
  ['an empty request id', { ...send(good), headers: { 'Idempotency-Key': '' } }, 400, undefined],
  ['a request id that is too long', { ...send(good), headers: { 'Idempotency-Key': 'x'.repeat(257) } }, 400, undefined],
  [
    'two request ids',
    { ...send(good), headers: { 'Idempotency-Key': 'a', 'repeatability_request-id': 'b' } },
    400,
    undefined,
  ],
];

describe('an invocation with', () => {
  it.each(refused)('%s is refused, and nothing changes', async (_what, call, status, target) => {
    const before = world.writes.length;
    const answer = await world.call('POST', JOBS, call);
    expect(errorOf(answer)).toMatchObject({ status, target });
    expect(answer.headers.get('x-ms-response-type')).toBe('error');
    expect(world.writes.slice(before)).toEqual([]);
    expect(world.started).toEqual([]);
  });
});

it('answers in the envelope of Azure ML, with a detail for each field', async () => {
  const answer = await world.call('POST', JOBS, send({ miniBatchSize: 'x', retrySettings: { timeout: 5 } }));
  const requestId = answer.headers.get('x-request-id');
  expect(answer.body).toEqual({
    error: {
      code: 'UserError',
      message: 'properties.miniBatchSize: must be of type number (and 2 more)',
      target: 'properties.miniBatchSize',
      details: [
        {
          code: 'UserError',
          message: 'properties.miniBatchSize: must be of type number',
          target: 'properties.miniBatchSize',
        },
        {
          code: 'UserError',
          message: 'properties.retrySettings.timeout: must be of type string',
          target: 'properties.retrySettings.timeout',
        },
        {
          code: 'UserError',
          message: 'properties.inputData: is required: name one input with jobInputType and uri',
          target: 'properties.inputData',
        },
      ],
      additionalInfo: [
        { type: 'ComponentName', info: { value: 'batchpoint' } },
        { type: 'Correlation', info: { value: { operation: requestId, request: requestId } } },
        { type: 'Environment', info: { value: 'westeurope' } },
        { type: 'Location', info: { value: 'westeurope' } },
        { type: 'Time', info: { value: '2026-02-03T04:05:06.000Z' } },
      ],
    },
  });
});

it('names the extensions that it knows', async () => {
  const answer = await world.call('POST', JOBS, send({ ...good, properties: { 'batchpoint.colour': 'x' } }));
  expect(errorOf(answer)).toMatchObject({
    message:
      "'batchpoint.colour' is not known here. Known are: batchpoint.outputFormat, batchpoint.miniBatchUnit, batchpoint.recursive, batchpoint.csvHeader, batchpoint.csvDelimiter, batchpoint.missing, batchpoint.outputColumns.",
  });
});

it('says what an endpoint without a default deployment lacks', async () => {
  expect(errorOf(await world.call('POST', '/endpoints/bare/jobs', send(good)))).toEqual({
    status: 400,
    code: 'UserError',
    target: undefined,
    message:
      'No valid deployments to route to. Please check that the endpoint has at least one deployment with positive weight values or use a deployment specific header to route.',
  });
});

it.each([
  ['POST', '/endpoints/nobody/jobs', send(good)],
  ['GET', '/endpoints/nobody/jobs', {}],
  ['GET', `${JOBS}/batchjob-none`, {}],
  ['GET', `${JOBS}/endpoints`, {}],
  ['GET', `${JOBS}/%2e%2e`, {}],
  ['GET', `${JOBS}/a%2Fb`, {}],
  ['GET', `${JOBS}/%zz`, {}],
  ['PUT', `${JOBS}/x`, send(good)],
  ['DELETE', `${JOBS}/x`, {}],
  ['OPTIONS', JOBS, {}],
  ['GET', '/', {}],
  ['GET', '/endpoints/heart-ep', {}],
  ['GET', '/elsewhere', {}],
] satisfies [string, string, Call][])('%s %s is a 404', async (method, path, call) => {
  expect(errorOf(await world.call(method, path, call))).toMatchObject({ status: 404, code: 'NotFound' });
});

it('answers HEAD with a 404 that has no body', async () => {
  const { status, body } = await world.call('HEAD', JOBS);
  expect([status, body]).toEqual([404, '']);
});

it.each(['limit=0', 'limit=x', 'limit=1001', 'limit=1&$top=2'])('refuses the page %s', async (query) => {
  expect(errorOf(await world.call('GET', `${JOBS}?${query}`))).toMatchObject({ status: 400, target: 'limit' });
});
