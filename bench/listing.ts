import { z } from 'zod';
import { Extensions, ScoringSettings } from '../shared/domain/settings.ts';
import type { JobSpec } from '../shared/domain/job.ts';
import { mapBounded } from '../shared/domain/map-bounded.ts';
import { azureBlobs } from '../shared/storage/azure-blobs.ts';
import { azureTables } from '../shared/storage/azure-tables.ts';
import { StorageFault } from '../shared/storage/ports.ts';
import { jobsRegistry } from '../shared/storage/registry/jobs.ts';
import { client, workspacePath } from '../cli/client.ts';
import { createSample, SAMPLE, uploadSample } from '../cli/sample.ts';
import { PROJECT, startStack } from '../cli/stack.ts';
import { localWorkspace } from '../cli/workspace.ts';
import type { Figure } from './figure.ts';

const JOBS = 10_000;
const WIDTH = 8;
/** Enough that the slowest but one in twenty is not the slowest of all. */
const PAGES = 40;
/** The app's own table. */
const TABLE = 'batchpoint';

/** How long a page of jobs takes when there are 10,000: of an endpoint, and of the workspace. Azurite scans them all for each. */
export async function listing(keyFile: string, add: (figure: Figure) => void): Promise<void> {
  const stack = await startStack({
    port: 0,
    storagePort: 0,
    keyFile,
    // Nobody starts these jobs.
    settings: { BATCHPOINT_LOG_LEVEL: 'error', BATCHPOINT_SWEEP_SCHEDULE: '0 0 0 1 1 *' },
  });
  try {
    const workspace = await localWorkspace(PROJECT);
    const token = await stack.issuer.sign({ audience: 'api://batchpoint', lifetimeSeconds: 7200 });
    await uploadSample(stack.connectionString, PROJECT);
    await createSample(
      client(stack.url, workspace, async () => token),
      workspace,
    );
    await makeJobs(stack.connectionString);
    const lists = { endpoint: `/endpoints/${SAMPLE.endpoint}/jobs`, workspace: `${workspacePath(workspace)}/jobs` };
    for (const [name, path] of Object.entries(lists)) {
      const times = await pages(`${stack.url}${path}`, token);
      add({ name: `page_of_${name}_jobs_ms_p95`, value: percentile95(times), unit: 'ms', target: { atMost: 500 } });
    }
  } finally {
    await stack.stop();
  }
}

async function makeJobs(connectionString: string): Promise<void> {
  const jobs = jobsRegistry({
    table: azureTables({ connectionString })(TABLE),
    blobs: azureBlobs({ connectionString }),
  });
  const first = Date.now() - JOBS * 1000;
  await mapBounded(
    Array.from({ length: JOBS }, (_, index) => index),
    WIDTH,
    async (index) => {
      const spec = jobSpec(`job-${String(index).padStart(5, '0')}`, new Date(first + index * 1000));
      await orAgain(() => jobs.create(spec));
    },
  );
}

/** Azurite drops a connection now and then; the same job again is the same job. */
async function orAgain<T>(write: () => Promise<T>): Promise<T> {
  try {
    return await write();
  } catch (error) {
    if (!(error instanceof StorageFault) || error.code !== 'ECONNRESET') throw error;
    return write();
  }
}

const jobSpec = (name: string, createdAt: Date): JobSpec => ({
  name,
  displayName: name,
  endpoint: SAMPLE.endpoint,
  deployment: SAMPLE.deployment,
  description: null,
  tags: {},
  properties: {},
  model: { name: SAMPLE.model, version: '1' },
  settings: ScoringSettings.parse({}),
  extensions: Extensions.parse({}),
  input: { name: 'in', kind: 'UriFolder', uri: SAMPLE.input, mode: 'ReadOnlyMount', description: null },
  output: null,
  createdBy: 'bench',
  createdAt: createdAt.toISOString(),
  requestHash: name,
});

/** Milliseconds of each page, read one after another as a client does. */
async function pages(url: string, token: string): Promise<number[]> {
  const times: number[] = [];
  let next: string | null = url;
  while (next !== null && times.length < PAGES) {
    const started = performance.now();
    const answer: Response = await fetch(next, { headers: { authorization: `Bearer ${token}` } });
    const page = Page.parse(await answer.json());
    times.push(performance.now() - started);
    next = page.nextLink;
  }
  return times;
}

const Page = z.object({ value: z.array(z.unknown()).min(1), nextLink: z.string().nullable() });

const percentile95 = (values: readonly number[]): number =>
  [...values].sort((a, b) => a - b)[Math.ceil(values.length * 0.95) - 1] ?? Number.NaN;
