import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Azurite } from '../../cli/azurite.ts';
import { JobBody, overFolder, startApp, type App } from '../support/app.ts';
import { faultProxy, type FaultProxy } from '../support/fault-proxy.ts';
import { model } from '../support/models.ts';

/** How long storage turns away everything; longer than a try may take. */
const BUSY_MS = 7_000;
const TIMEOUT = 'PT5S';
const FILES = 24;

/** Answers 503 with `Retry-After: 1` to every `share`-th request once jobs run, and to all for a while in the middle of the second. */
function busyStorage() {
  const proxies: FaultProxy[] = [];
  const met = { share: 0, all: 0 };
  let requests = 0;
  let reads = 0;
  let share = Infinity;
  let busyUntil = 0;
  let busyAfterReads = Infinity;
  const draw = (method: string, path: string) => {
    requests++;
    if (method === 'GET' && path.includes('/in/')) reads++;
    if (reads > busyAfterReads) {
      busyAfterReads = Infinity;
      busyUntil = Date.now() + BUSY_MS;
    }
    if (Date.now() < busyUntil) met.all++;
    else if (requests % share === 0) met.share++;
    else return undefined;
    return 'busy' as const;
  };
  return {
    met,
    turnAway(every: number) {
      share = every;
    },
    turnAllAwayAfter(more: number) {
      share = Infinity;
      busyAfterReads = reads + more;
    },
    async between({ blobPort, connectionString }: Azurite): Promise<string> {
      const proxy = await faultProxy({ targetPort: blobPort, draw });
      proxies.push(proxy);
      return connectionString.replace(`:${blobPort}/`, `:${proxy.port}/`);
    },
    stop: () => Promise.all(proxies.map((proxy) => proxy.stop())),
  };
}

const storage = busyStorage();
const { files, sample } = model('matrix');
const [header = '', row = ''] = sample.split('\n');
const names = Array.from({ length: FILES }, (_, i) => `${String(i).padStart(2, '0')}.csv`);

let app: App;
beforeAll(async () => {
  app = await startApp({}, { between: storage.between });
  const settings = { miniBatchSize: 1, maxConcurrencyPerInstance: 2, errorThreshold: 0 };
  // A single try: what is not waited for fails the job.
  await app.deploy('iris', files, { ...settings, retrySettings: { maxRetries: 1, timeout: TIMEOUT } });
  await app.upload(Object.fromEntries(names.map((name) => [`in/${name}`, `${header}\n${row}\n`])));
});
afterAll(async () => {
  await app.stop();
  await storage.stop();
});

async function outcome(): Promise<{ status: string; error: unknown; rows: string[] | undefined }> {
  const { name } = JobBody.parse((await app.send('POST', '/endpoints/iris/jobs', overFolder('in/'))).body);
  const { properties, error } = await ended(name);
  const output = `azureml/${name}/score/predictions.csv`;
  expect(await app.text(`${output}.errors.jsonl`)).toBeUndefined();
  const rows = (await app.text(output))?.trimEnd().split('\n').slice(1);
  return { status: properties.status, error, rows: rows?.map((line) => line.split(',')[0] ?? '') };
}

/** While storage is busy a client is told so, and asks again. */
async function ended(name: string): Promise<JobBody> {
  for (;;) {
    const { status, body } = await app.send('GET', `/endpoints/iris/jobs/${name}`);
    if (status < 500) {
      const job = JobBody.parse(body);
      if (['Completed', 'Failed', 'Canceled'].includes(job.properties.status)) return job;
    }
    await wait(200);
  }
}

it('slows jobs down and fails none: each row is there once, of first tries', async () => {
  storage.turnAway(25);
  expect(await outcome()).toEqual({ status: 'Completed', error: undefined, rows: names });
  expect(storage.met.share).toBeGreaterThan(2);
  storage.turnAllAwayAfter(10);
  expect(await outcome()).toEqual({ status: 'Completed', error: undefined, rows: names });
  expect(storage.met.all).toBeGreaterThan(3);
});
