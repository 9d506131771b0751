import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { runtime } from '../../shared/runtime.ts';
import { readSettings, readTriggerSettings, sweepSchedule } from '../../shared/settings.ts';

const good = {
  BATCHPOINT_STATE: 'UseDevelopmentStorage=true',
  BATCHPOINT_DATASTORES: '[{"name":"store","connection":"UseDevelopmentStorage=true","container":"data"}]',
  BATCHPOINT_WORKSPACE: '{"subscriptionId":"s","resourceGroup":"r","workspace":"w","location":"l"}',
};

describe('settings of triggers', () => {
  it('give the queue of invocations a name, and no inbox unless there is one', () => {
    expect(readTriggerSettings(good)).toEqual({ invokeQueue: 'invoke', inbox: undefined });
    const set = { ...good, BATCHPOINT_INVOKE_QUEUE: 'asked', BATCHPOINT_INBOX: 'data/in' };
    expect(readTriggerSettings(set)).toEqual({ invokeQueue: 'asked', inbox: 'data/in' });
  });

  it.each([{ BATCHPOINT_STATE: 'memory' }, { BATCHPOINT_INVOKE_QUEUE: 'No Queue' }])(
    'give no trigger where none could work: %j',
    (set) => {
      const asked = { ...good, BATCHPOINT_INBOX: 'data', ...set };
      expect(readTriggerSettings(asked)).toBeUndefined();
    },
  );
});

describe('the schedule of the sweeper', () => {
  it.each([
    [{}, '*/30 * * * * *'],
    [{ BATCHPOINT_SWEEP_SCHEDULE: '0 * * * * *' }, '0 * * * * *'],
    [{ BATCHPOINT_SWEEP_SCHEDULE: '' }, '*/30 * * * * *'],
  ])('of %j is %s', (environment, schedule) => {
    expect(sweepSchedule(environment)).toBe(schedule);
  });
});

describe('app settings', () => {
  it('have defaults for all but what nobody can guess', () => {
    expect(readSettings(good)).toMatchObject({
      BATCHPOINT_SLICE_SECONDS: 15,
      BATCHPOINT_BLOCK_MB: 4,
      BATCHPOINT_SCORING_THREADS: Math.max(2, availableParallelism()),
      BATCHPOINT_ALLOW_CODE: false,
      BATCHPOINT_PYTHON: 'python3',
      BATCHPOINT_PYTHON_ENVIRONMENTS: {},
      BATCHPOINT_BUILD_ENVIRONMENTS: false,
      BATCHPOINT_WORK_FOLDER: join(tmpdir(), 'batchpoint'),
      BATCHPOINT_CACHE_MB: 4096,
      BATCHPOINT_WORKER_IDLE_SECONDS: 300,
    });
  });

  it('say what may run, and where', () => {
    const set = {
      BATCHPOINT_ALLOW_CODE: 'True',
      BATCHPOINT_PYTHON_ENVIRONMENTS: '{"AzureML-*":"/opt/ml/bin/python"}',
      BATCHPOINT_WORKER_MEMORY_MB: '512',
    };
    expect(readSettings({ ...good, ...set })).toMatchObject({
      BATCHPOINT_ALLOW_CODE: true,
      BATCHPOINT_PYTHON_ENVIRONMENTS: { 'AzureML-*': '/opt/ml/bin/python' },
      BATCHPOINT_WORKER_MEMORY_MB: 512,
    });
  });

  const services = {
    BATCHPOINT_STATE__blobServiceUri: 'https://state.blob.core.windows.net',
    BATCHPOINT_STATE__queueServiceUri: 'https://state.queue.core.windows.net',
    BATCHPOINT_STATE__tableServiceUri: 'https://state.table.core.windows.net',
  };
  const { BATCHPOINT_STATE: _connection, ...rest } = good;

  it('may give the state by the addresses of its services, for an identity', () => {
    expect(readSettings({ ...rest, ...services }).state).toEqual({
      blob: 'https://state.blob.core.windows.net',
      queue: 'https://state.queue.core.windows.net',
      table: 'https://state.table.core.windows.net',
    });
    expect(readTriggerSettings({ ...rest, ...services })).toEqual({ invokeQueue: 'invoke', inbox: undefined });
  });

  it.each<[string, Readonly<Record<string, string | undefined>>]>([
    ['both forms', { ...good, ...services }],
    ['a part of the addresses', { ...rest, ...services, BATCHPOINT_STATE__queueServiceUri: undefined }],
    ['an address that is not https', { ...rest, ...services, BATCHPOINT_STATE__blobServiceUri: 'http://state' }],
    ['a signature in it', { ...rest, ...services, BATCHPOINT_STATE__blobServiceUri: 'https://state/?sig=secret' }],
  ])('refuse a state with %s', (_what, environment) => {
    expect(() => readSettings(environment)).toThrow(/BATCHPOINT_STATE(?!.*secret)/);
  });

  it.each([
    ['BATCHPOINT_STATE', undefined],
    ['BATCHPOINT_DATASTORES', '[{"name":"store","connection":"https://a/?sig=secret","container":"data"}]'],
    ['BATCHPOINT_DATASTORE_ACCOUNTS', '["http://secret.blob.core.windows.net"]'],
    ['BATCHPOINT_STATE', ''],
    ['BATCHPOINT_SWEEP_SCHEDULE', ''],
    ['BATCHPOINT_JOB_RETENTION_DAYS', '7'],
    ['BATCHPOINT_DATASTORES', '[]'],
    ['BATCHPOINT_DATASTORES', 'AccountKey=secret'],
    ['BATCHPOINT_DATASTORES', '[{"name":"store","connection":"AccountKey=secret","container":"Not A Container"}]'],
    ['BATCHPOINT_DATASTORES', '[{"name":"store","connection":"AccountKey=secret","container":"batchpoint-jobs"}]'],
    ['BATCHPOINT_DATASTORE_ACCOUNTS', 'AccountKey=secret'],
    ['BATCHPOINT_WORKSPACE', '{}'],
    ['BATCHPOINT_SLICE_SECONDS', 'soon'],
    ['BATCHPOINT_SCORING_THREADS', '0'],
    ['BATCHPOINT_OUTPUT_FORMAT', 'parquet'],
    ['BATCHPOINT_INVOKE_QUEUE', 'No Queue'],
    ['BATCHPOINT_INBOX', 'container/{name}'],
    ['BATCHPOINT_ALLOW_CODE', 'yes'],
    ['BATCHPOINT_BUILD_ENVIRONMENTS', '1'],
    ['BATCHPOINT_PYTHON', ''],
    ['BATCHPOINT_PYTHON_ENVIRONMENTS', 'python3'],
    ['BATCHPOINT_PYTHON_ENVIRONMENTS', '{"AzureML-*":1}'],
    ['BATCHPOINT_WORK_FOLDER', ''],
    ['BATCHPOINT_CACHE_MB', '0'],
    ['BATCHPOINT_WORKER_MEMORY_MB', '1'],
    ['BATCHPOINT_WORKER_IDLE_SECONDS', 'never'],
  ])('with %s = %j are refused by name, without the value', (name, value) => {
    let text = '';
    try {
      readSettings({ ...good, [name]: value });
    } catch (error) {
      text = String(error);
    }
    expect(text).toContain(name);
    expect(text).not.toContain('secret');
  });
});

describe('the app', () => {
  afterEach(() => vi.unstubAllEnvs());
  const start = (more: Record<string, string>) => {
    for (const [name, value] of Object.entries({ ...good, ...more })) vi.stubEnv(name, value);
    return runtime();
  };

  it('does not start when nobody could get a token', async () => {
    await expect(start({})).rejects.toThrow('No token issuer is configured');
  });

  it('does not start in Azure with the development issuer', async () => {
    await expect(start({ WEBSITE_INSTANCE_ID: 'azure', BATCHPOINT_DEV_JWKS: '{"keys":[]}' })).rejects.toThrow(
      "developer's machine only",
    );
  });

  it('opens containers of the accounts that its settings name, and of no other', async () => {
    const further =
      'DefaultEndpointsProtocol=https;AccountName=further;AccountKey=c2VjcmV0;EndpointSuffix=core.windows.net';
    const { apiDeps } = await start({
      BATCHPOINT_STATE: 'memory',
      BATCHPOINT_DATASTORES: '[{"name":"store","connection":"memory","container":"data"}]',
      BATCHPOINT_DATASTORE_ACCOUNTS: JSON.stringify([further, 'https://byidentity.blob.core.windows.net']),
      BATCHPOINT_DEV_JWKS: '{"keys":[{"kty":"RSA","n":"AQAB","e":"AQAB","kid":"k"}]}',
    });
    const open = (account: string) => apiDeps.datastores.open('more', { account, container: 'con' })?.address;
    expect([open('byidentity'), open('further'), open('memory'), open('foreign')]).toEqual([
      { name: 'more', account: 'byidentity', container: 'con', endpoint: 'https://byidentity.blob.core.windows.net' },
      { name: 'more', account: 'further', container: 'con', endpoint: 'https://further.blob.core.windows.net' },
      { name: 'more', account: 'memory', container: 'con', endpoint: 'https://memory.blob.invalid' },
      undefined,
    ]);
    expect((await apiDeps.datastores.list()).map(({ address }) => `${address.name}=${address.container}`)).toEqual([
      'store=data',
      'workspaceartifactstore=azureml',
    ]);
  });
});
