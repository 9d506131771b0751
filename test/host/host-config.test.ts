import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { applyLocalSettings, readHostConfig } from '../../local/host-config.ts';

let root: string;

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'batchpoint-config-'));
});
afterAll(() => rm(root, { recursive: true }));

const write = (name: string, content: object): Promise<void> => writeFile(join(root, name), JSON.stringify(content));

test('an empty host.json has the defaults of the real host', async () => {
  await write('host.json', {});
  const tenPerCore = 10 * availableParallelism();
  expect(await readHostConfig(root, {})).toEqual({
    ...{ routePrefix: 'api', hubName: 'TestHubName', defaultVersion: '', logLevels: {} },
    ...{ maxConcurrentActivities: tenPerCore, maxConcurrentOrchestrators: tenPerCore },
    ...{ functionTimeoutMs: 1_800_000, hostId: expect.stringMatching(/^[a-z0-9-]{3,32}$/) as string },
    queues: {
      ...{ maxPollingIntervalMs: 60_000, visibilityTimeoutMs: 0, batchSize: 16, maxDequeueCount: 5 },
      ...{ newBatchThreshold: 8 * availableParallelism(), messageEncoding: 'base64' },
    },
    blobs: { maxDegreeOfParallelism: 8 * availableParallelism(), poisonBlobThreshold: 5 },
  });
});

test('the environment overrides host.json in any case, and text that looks like a number stays text', async () => {
  await write('host.json', {
    logging: { logLevel: { Host: 'Warning' } },
    extensions: { http: { routePrefix: '' }, durableTask: { hubName: 'a', defaultVersion: '1' } },
  });
  const overrides = {
    AzureFunctionsJobHost__logging__logLevel__default: 'Debug',
    AZUREFUNCTIONSJOBHOST__EXTENSIONS__DURABLETASK__DEFAULTVERSION: '2',
    AzureFunctionsJobHost__extensions__durableTask__maxConcurrentActivityFunctions: '3',
  };
  expect(await readHostConfig(root, overrides)).toMatchObject({
    ...{ routePrefix: '', hubName: 'a', defaultVersion: '2', maxConcurrentActivities: 3 },
    logLevels: { Host: 'warning', default: 'debug' },
  });
});

test('an override of a wrong type is refused by the name of the field', async () => {
  const overrides = { AzureFunctionsJobHost__extensions__durableTask__maxConcurrentActivityFunctions: 'many' };
  await expect(readHostConfig(root, overrides)).rejects.toThrow('maxConcurrentActivityFunctions');
});

test('local settings fill the environment where it has nothing, and may ask for a port', async () => {
  const env: NodeJS.ProcessEnv = { TAKEN: 'before', EMPTY: '' };
  expect(await applyLocalSettings(root, env)).toEqual({});
  await write('local.settings.json', {
    IsEncrypted: false,
    Values: { TAKEN: 'file', EMPTY: 'file', NEW: 'file', BLANK: '', NONE: null },
    Host: { LocalHttpPort: 7099, CORS: '*' },
  });
  expect(await applyLocalSettings(root, env)).toEqual({ LocalHttpPort: 7099, CORS: '*' });
  expect(env).toEqual({ TAKEN: 'before', EMPTY: '', NEW: 'file', BLANK: '' });
});
