import { z } from 'zod';
import { Extensions, ScoringSettings } from '../shared/domain/settings.ts';
import type { JobSpec } from '../shared/domain/job.ts';
import { memoryBlobs } from '../shared/storage/memory-blobs.ts';
import { JOBS_CONTAINER, jobsRegistry } from '../shared/storage/registry/jobs.ts';
import { client, workspacePath } from '../cli/client.ts';
import { createSample, SAMPLE, uploadSample } from '../cli/sample.ts';
import { PROJECT, startStack } from '../cli/stack.ts';
import { localWorkspace } from '../cli/workspace.ts';
import { median, type Figure } from './figure.ts';
import { gatheredTable } from './gathered-table.ts';

const JOBS = 10_000;
/** Two of the index, the record, and the one of the open jobs. */
const ROWS_OF_A_JOB = 4;
/** Enough that the slowest but one in twenty is not the slowest of all. */
const PAGES = 40;
/** The app's own table. */
const TABLE = 'batchpoint';

/**
 * How long a page of jobs takes when there are 10,000: of the workspace, of an endpoint by its own host and by the workspace's.
 * Azurite looks at every row of the table for each page.
 */
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
    const paths = {
      workspace: `${workspacePath(workspace)}/jobs`,
      endpoint: `/endpoints/${SAMPLE.endpoint}/jobs`,
      mferp: `/mferp/managementfrontend${workspacePath(workspace)}/batchEndpoints/${SAMPLE.endpoint}/jobs`,
    };
    for (const [list, path] of Object.entries(paths)) {
      const times = await pages(`${stack.url}${path}`, token);
      for (const [name, value] of Object.entries({
        p50: median(times),
        p95: percentile95(times),
        max: Math.max(...times),
      }))
        add({ name: `page_of_${list}_jobs_ms_${name}`, value, unit: 'ms', target: { atMost: 500 } });
    }
  } finally {
    await stack.stop();
  }
}

/** The rows that the registry makes. Specs of this size are in the rows, so a list does not miss their blobs. */
async function makeJobs(connectionString: string): Promise<void> {
  const { table, flush } = gatheredTable(connectionString, TABLE);
  const blobs = memoryBlobs();
  await blobs.ensureContainer(JOBS_CONTAINER);
  const jobs = jobsRegistry({ table, blobs });
  const first = Date.now() - JOBS * 1000;
  for (let index = 0; index < JOBS; index++)
    await jobs.create(jobSpec(`job-${String(index).padStart(5, '0')}`, new Date(first + index * 1000)));
  const rows = await flush();
  if (rows !== JOBS * ROWS_OF_A_JOB) throw new Error(`${rows} rows were made`);
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
