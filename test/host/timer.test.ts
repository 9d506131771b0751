import { createServer } from 'node:http';
import { BlobServiceClient, type ContainerClient } from '@azure/storage-blob';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parseSchedule } from '../../local/triggers/schedule.ts';
import { startAzurite as startAzuriteAt } from '../../cli/azurite.ts';
import { startAzurite, type Azurite } from '../support/azurite.ts';
import { runsOf } from './runs.ts';
import { startHost, type TestHost } from './start-host.ts';

describe('schedules', () => {
  const from = new Date(2026, 0, 1, 0, 0, 0);
  /** The first occurrences as local times. */
  function occurrences(text: string, count: number): string[] {
    const schedule = parseSchedule(text);
    const found: string[] = [];
    for (let at: Date | undefined = from; found.length < count;) {
      at = schedule.next(at);
      if (at === undefined) break;
      const local = new Date(at.getTime() - at.getTimezoneOffset() * 60_000);
      found.push(local.toISOString().slice(0, 19));
    }
    return found;
  }

  test.each([
    ['0 */5 * * * *', ['2026-01-01T00:05:00', '2026-01-01T00:10:00']],
    ['* * * * * *', ['2026-01-01T00:00:01', '2026-01-01T00:00:02']],
    ['0 5/20 * * * *', ['2026-01-01T00:05:00', '2026-01-01T00:25:00', '2026-01-01T00:45:00', '2026-01-01T01:05:00']],
    ['0 0 9-17/4 * * *', ['2026-01-01T09:00:00', '2026-01-01T13:00:00', '2026-01-01T17:00:00', '2026-01-02T09:00:00']],
    ['0 0 17-9/4 * * *', ['2026-01-01T09:00:00', '2026-01-01T13:00:00', '2026-01-01T17:00:00', '2026-01-02T09:00:00']],
    ['*/90 * * * * *', ['2026-01-01T00:01:00', '2026-01-01T00:02:00']],
    ['0 30 9 * Jan Mon', ['2026-01-05T09:30:00', '2026-01-12T09:30:00']],
    ['0 30 9 * january,feb WEDNESDAY', ['2026-01-07T09:30:00', '2026-01-14T09:30:00']],
    ['0 0 0 13 * 5', ['2026-02-13T00:00:00', '2026-03-13T00:00:00', '2026-11-13T00:00:00']],
    ['0 0 0 29 2 *', ['2028-02-29T00:00:00']],
    ['  0  0 12 1,15 * *  ', ['2026-01-01T12:00:00', '2026-01-15T12:00:00']],
    ['0 0 0 31 2 *', []],
    ['00:00:30', ['2026-01-01T00:00:30', '2026-01-01T00:01:00']],
    ['1.00:00:00', ['2026-01-02T00:00:00']],
    ['24:00:00', ['2026-01-25T00:00:00']],
  ])('%j', (text, expected) => {
    expect(occurrences(text, Math.max(expected.length, 1))).toEqual(expected);
  });

  test.each(
    ['', '* * * * *', '* * * * * * *', '60 * * * * *', '0 0 0 0 * *', '0 0 0 L * *', '0 0 0 ? * *']
      .concat(['0 0 0 * * 7', '0 0 0 * * 5#2', '0 0 0 * Foo *', '0 1, * * * *', '@daily', '00:00:00', '1:2:3:4'])
      .concat(['00:00:61', '0 1-2-3 * * * *', '-00:01:00']),
  )('%j is refused', (text) => {
    expect(() => parseSchedule(text)).toThrow('was not recognized as a valid cron expression or timespan string');
  });
});

describe('timers', () => {
  let azurite: Azurite;
  let hosts: ContainerClient;
  let host: TestHost;
  const wait = { timeout: 25_000, interval: 50 };
  const settings = (): NodeJS.ProcessEnv => ({
    AzureWebJobsStorage: azurite.connectionString,
    AzureFunctionsWebHost__hostid: 'fixture',
    STARTUP_SCHEDULE: '0 0 4 1 1 *',
    AzureWebJobs_disabled_Disabled: '1',
  });
  const status = (name: string) => hosts.getBlockBlobClient(`timers/fixture/Host.Functions.${name}/status`);
  const write = (name: string, text: string) => status(name).uploadData(Buffer.from(text));
  const read = async (name: string): Promise<unknown> =>
    JSON.parse((await status(name).downloadToBuffer()).toString('utf8'));
  const time = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}[+-]\d\d:\d\d$/) as string;
  const never = '0001-01-01T00:00:00';

  beforeAll(async () => {
    azurite = await startAzurite();
    hosts = BlobServiceClient.fromConnectionString(azurite.connectionString).getContainerClient('azure-webjobs-hosts');
    host = await startHost('triggers/timer', settings());
  });
  afterAll(async () => {
    await host.stop();
    await azurite.stop();
  });

  test('runOnStartup runs at once, with the status that the real host sends', async () => {
    await expect
      .poll(() => runsOf(host, 'startup'), wait)
      .toEqual([
        {
          fn: 'startup',
          timer: {
            schedule: { adjustForDST: true },
            scheduleStatus: { last: never, next: time, lastUpdated: time },
            isPastDue: false,
          },
        },
      ]);
    await expect.poll(() => read('startup'), wait).toEqual({ Last: time, Next: time, LastUpdated: time });
  });

  test('without a monitor nothing is written and no status is sent', async () => {
    await expect
      .poll(() => runsOf(host, 'unmonitored'), wait)
      .toEqual([
        { fn: 'unmonitored', timer: { schedule: { adjustForDST: true }, scheduleStatus: null, isPastDue: false } },
      ]);
    expect(await status('unmonitored').exists()).toBe(false);
  });

  test('a timer of every second fires again and again, is not written down, and never twice for one time', async () => {
    await expect.poll(() => runsOf(host, 'everySecond').length, wait).toBeGreaterThanOrEqual(3);
    expect(await status('everySecond').exists()).toBe(false);
  });

  test('a first status names the next occurrence, so that a missed one is noticed', async () => {
    await expect.poll(() => status('hourly').exists(), wait).toBe(true);
    expect(await read('hourly')).toEqual({ Last: never, Next: time, LastUpdated: time });
    expect(runsOf(host, 'hourly')).toEqual([]);
    await expect.poll(() => status('yearly').exists(), wait).toBe(true);
    expect(runsOf(host, 'yearly')).toEqual([]);
  });

  test('a fixed retry policy runs a failing function again, as often as it says, with its retry context', async () => {
    const retry = (retryCount: number) => ({
      ...{ retryCount, maxRetryCount: 2 },
      exception: {
        ...{ source: 'Error', stackTrace: expect.any(String) as string },
        message: `failure after ${retryCount - 1} retries`,
      },
    });
    await expect.poll(() => runsOf(host, 'fixedRetries').length, wait).toBe(3);
    expect(runsOf(host, 'fixedRetries')).toEqual([
      { fn: 'fixedRetries' },
      { fn: 'fixedRetries', retry: retry(1) },
      { fn: 'fixedRetries', retry: retry(2) },
    ]);
    await expect.poll(host.stderr, wait).toContain('failure after 2 retries');
  });

  test('a policy without a limit retries until the function succeeds', async () => {
    await expect.poll(() => runsOf(host, 'growingRetries').length, wait).toBe(4);
    expect(runsOf(host, 'growingRetries').at(-1)).toMatchObject({ retry: { retryCount: 3, maxRetryCount: -1 } });
    await expect.poll(() => status('growingRetries').exists(), wait).toBe(true);
  });

  test('disabled timers do not run; bad schedules are named', () => {
    expect(runsOf(host, 'disabled')).toEqual([]);
    expect(host.stderr()).toContain('warning: Function disabled is disabled.');
    expect(host.stderr()).toContain(`The 'badSchedule' function is in error: the schedule "0 0 99 * * *" was not`);
    expect(host.stderr()).toContain("The 'noSetting' function is in error: %NO_SUCH_SCHEDULE% does not resolve");
    expect(host.stderr()).toContain("The 'partSetting' function is in error: the schedule");
  });

  test('what a host missed is made up for once at the next start; a changed schedule or bad status is not', async () => {
    await host.stop();
    const hour = 3_600_000;
    const last = new Date(Math.floor(Date.now() / hour) * hour - 5 * hour);
    const missed = {
      Last: last.toISOString(),
      Next: new Date(last.getTime() + hour).toISOString(),
      LastUpdated: never,
    };
    await write('hourly', JSON.stringify(missed));
    await write('yearly', JSON.stringify(missed));
    await write('startup', '{ not json');

    host = await startHost('triggers/timer', settings());
    await expect.poll(() => runsOf(host, 'hourly'), wait).toMatchObject([{ timer: { isPastDue: true } }]);
    await expect.poll(() => runsOf(host, 'startup'), wait).toMatchObject([{ timer: { isPastDue: false } }]);
    expect(host.stderr()).toContain(
      "The status of the timer 'startup' (timers/fixture/Host.Functions.startup/status) is unreadable",
    );
    await expect.poll(() => read('hourly'), wait).toEqual({ Last: time, Next: time, LastUpdated: time });
    await expect.poll(() => read('yearly'), wait).toMatchObject({ Last: never });
    expect(runsOf(host, 'yearly')).toEqual([]);

    await host.stop();
    host = await startHost('triggers/timer', settings());
    await expect.poll(() => runsOf(host, 'everySecond').length, wait).toBeGreaterThanOrEqual(1);
    expect(runsOf(host, 'hourly')).toEqual([]);
  });

  test('storage that cannot be reached is told of once, and once when it is back; the missed run is not lost', async () => {
    await host.stop();
    const { blobPort, queuePort, tablePort } = azurite;
    await azurite.stop();
    const sick = createServer((_, response) => response.writeHead(503).end()).listen(blobPort, '127.0.0.1');
    host = await startHost('triggers/timer', settings());
    const warning = "warning: The status of the timer 'hourly' cannot be reached; this is tried until it can";
    await expect.poll(host.stderr, wait).toContain(warning);
    await expect.poll(() => runsOf(host, 'everySecond').length, wait).toBeGreaterThanOrEqual(1);

    sick.closeAllConnections();
    await new Promise((resolve) => sick.close(resolve));
    azurite = await startAzuriteAt({ ports: [blobPort, queuePort, tablePort] });
    await expect.poll(host.stdout, wait).toContain("The status of the timer 'hourly' can be reached again.");
    await expect.poll(() => status('hourly').exists(), wait).toBe(true);
    expect(host.stderr().split(warning)).toHaveLength(2);
  });
});
