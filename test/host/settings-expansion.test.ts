import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { readHostConfig } from '../../local/host-config.ts';
import { expandSettings, expandWholeSetting } from '../../local/setting-names.ts';
import { formatTimeSpan, parseTimeSpan } from '../../local/time-span.ts';

let root: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'batchpoint-settings-'));
});
afterAll(() => rm(root, { recursive: true }));

const config = async (json: object, env: NodeJS.ProcessEnv = {}) => {
  await writeFile(join(root, 'host.json'), JSON.stringify(json));
  return readHostConfig(root, env);
};

test.each([
  ['plain', 'plain'],
  ['%A%', 'a'],
  ['x-%A%-%B%/{name}', 'x-a-b/{name}'],
])('%s becomes %s', (text, expected) => {
  expect(expandSettings(text, { A: 'a', B: 'b' })).toBe(expected);
});

test.each([
  ['%NONE%', '%NONE% does not resolve to a value: set "NONE".'],
  ['%EMPTY%', '%EMPTY% does not resolve to a value'],
  ['50%', `"50%" has a '%' without its second one.`],
])('%s is refused', (text, message) => {
  expect(() => expandSettings(text, { EMPTY: '' })).toThrow(message);
});

test.each([
  [' %A% ', 'a'],
  ['0 %A% * * * *', '0 %A% * * * *'],
  ['0 * * * * *', '0 * * * * *'],
])('of a schedule only a whole name is replaced: %j becomes %j', (text, expected) => {
  expect(expandWholeSetting(text, { A: 'a' })).toBe(expected);
});

test("the hub's name is expanded; a missing setting names host.json", async () => {
  const json = { extensions: { durableTask: { hubName: '%HUB%' } } };
  expect(await config(json, { HUB: 'mine' })).toMatchObject({ hubName: 'mine' });
  await expect(config(json)).rejects.toThrow(/host\.json: extensions\.durableTask\.hubName cannot be used/);
});

test('host.json sets how queues and blobs are read, and how long functions may run', async () => {
  const json = {
    functionTimeout: '01:00:00',
    extensions: {
      queues: {
        ...{ maxPollingInterval: '00:00:02', visibilityTimeout: '00:00:30', batchSize: 4, newBatchThreshold: 1 },
        ...{ maxDequeueCount: 3, messageEncoding: 'None' },
      },
      blobs: { maxDegreeOfParallelism: 2, poisonBlobThreshold: 1 },
    },
  };
  const env = { AzureFunctionsJobHost__extensions__queues__batchSize: '8', AzureFunctionsWebHost__hostid: 'mine' };
  expect(await config(json, env)).toMatchObject({
    ...{ functionTimeoutMs: 3_600_000, hostId: 'mine' },
    queues: {
      ...{ maxPollingIntervalMs: 2000, visibilityTimeoutMs: 30_000, batchSize: 8, newBatchThreshold: 1 },
      ...{ maxDequeueCount: 3, messageEncoding: 'none' },
    },
    blobs: { maxDegreeOfParallelism: 2, poisonBlobThreshold: 1 },
  });
  expect(await config({ functionTimeout: '-1' })).toMatchObject({ functionTimeoutMs: Infinity });
});

test.each([
  [{ functionTimeout: '00:00:00.900' }, 'functionTimeout'],
  [{ extensions: { queues: { batchSize: 33 } } }, 'extensions.queues.batchSize'],
  [{ extensions: { queues: { maxPollingInterval: '00:00:00.099' } } }, 'extensions.queues.maxPollingInterval'],
  [{ extensions: { queues: { visibilityTimeout: '8.00:00:00' } } }, 'extensions.queues.visibilityTimeout'],
  [{ extensions: { queues: { visibilityTimeout: 'soon' } } }, '"soon" is not a time span'],
  [{ extensions: { queues: { maxDequeueCount: 0 } } }, 'extensions.queues.maxDequeueCount'],
  [{ extensions: { queues: { messageEncoding: 'utf16' } } }, 'extensions.queues.messageEncoding'],
  [{ extensions: { blobs: { poisonBlobThreshold: 'x' } } }, 'extensions.blobs.poisonBlobThreshold'],
])('%j is refused, by file and field', async (json, field) => {
  await expect(config(json)).rejects.toThrow(join(root, 'host.json'));
  await expect(config(json)).rejects.toThrow(field);
});

test.each(['Upper', 'a--b', '-a', 'x'.repeat(33)])('the host id %s is refused', async (hostId) => {
  await expect(config({}, { AzureFunctionsWebHost__hostid: hostId })).rejects.toThrow('AzureFunctionsWebHost__hostid');
});

test.each([
  ['00:00:30', 30_000],
  ['23:59:59', 86_399_000],
  ['24:00:00', 24 * 86_400_000],
  ['1.02:03:04', 93_784_000],
  ['00:01', 60_000],
  ['2', 2 * 86_400_000],
  ['00:00:00.2500000', 250],
  ['00:60:00', undefined],
  ['1.24:00:00', undefined],
  ['-00:00:01', undefined],
  ['', undefined],
])('the time span %j is %j ms', (text, ms) => {
  expect(parseTimeSpan(text)).toBe(ms);
});

test.each([
  [0, '00:00:00'],
  [5000, '00:00:05'],
  [93_784_250, '1.02:03:04.2500000'],
])('%i ms are written as %s', (ms, text) => {
  expect(formatTimeSpan(ms)).toBe(text);
});
