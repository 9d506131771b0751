import type { DeploymentRecord } from '../../shared/domain/deployment-record.ts';
import { blobEvent } from '../../shared/domain/blob-event.ts';
import { ScoringSettings } from '../../shared/domain/settings.ts';
import { memoryQueues } from '../../shared/storage/memory-queues.ts';
import { StorageFault } from '../../shared/storage/ports.ts';
import { pipelinesRegistry } from '../../shared/storage/registry/pipelines.ts';
import { watchEvents } from '../../shared/storage/registry/watch-events.ts';
import { flushWatch } from '../../shared/steps/flush-watch.ts';
import { recordBlobEvent } from '../../shared/steps/record-blob-event.ts';
import type { TriggerDeps } from '../../shared/steps/trigger-deps.ts';
import { writeDeployment } from '../../shared/steps/watched-deployments.ts';
import { crashes } from './crashes.ts';
import { jobWorld } from './job-world.ts';

export const URL_OF_DATA = 'https://account.blob.core.windows.net/data/';

const NOW = '2026-02-03T04:05:06.000Z';
const MAX_DEQUEUE_COUNT = 5;
/** Longer than any wait of these tests and than the hold of a dead flush. */
const QUIET_SECONDS = 100;

export type WatchWorld = Awaited<ReturnType<typeof watchWorld>>;

/** Watches, events and flushes over storage in memory, and a host that serves their queues. */
export async function watchWorld(crash = crashes()) {
  const jobs = jobWorld({ table: crash.table, system: crash.blobs });
  const clock = { time: Date.parse(NOW), now: () => clock.time };
  const queues = memoryQueues(clock);
  const started: string[] = [];
  const lines: { level: string; fields: Readonly<Record<string, unknown>>; message: string }[] = [];
  const line = (level: string) => (fields: Readonly<Record<string, unknown>>, message: string) =>
    void lines.push({ level, fields, message });
  const log = { debug: line('debug'), info: line('info'), warn: line('warn'), error: line('error') };
  const deps: TriggerDeps = {
    jobs: jobs.deps.jobs,
    pipelines: pipelinesRegistry({ table: jobs.table, blobs: jobs.system }),
    registry: jobs.deps.registry,
    files: jobs.deps.files,
    grants: [],
    datastores: jobs.deps.datastores,
    delegations: jobs.deps.delegations,
    workspace: jobs.deps.workspace,
    events: watchEvents(jobs.table, clock),
    queue: (name) => crash.queue(queues(name)),
    orchestrations: {
      start: (job) => crash.write(async () => void started.push(job)),
      state: async () => 'active' as const,
    },
    clock,
    log,
    appExtensions: {},
    maxTimeoutSeconds: 1720,
  };
  const stored = { description: null, tags: {}, createdAt: NOW, createdBy: 't:o', modifiedAt: NOW };
  const deployment = (endpoint: string, name: string, watch: unknown): DeploymentRecord => ({
    endpoint,
    name,
    ...stored,
    properties: watch === undefined ? {} : { 'batchpoint.watch': JSON.stringify(watch) },
    model: { name: 'm', version: '1' },
    settings: ScoringSettings.parse({}),
    compute: null,
    codeConfiguration: null,
    environmentId: null,
    environmentVariables: {},
  });
  await jobs.put({});

  const steps = { 'blob-events': recordBlobEvent, 'blob-flush': flushWatch };
  /** One delivery of every message that shows; what fails comes back, at last as poison. */
  const tries = new Map<string, number>();
  const serve = async (): Promise<void> => {
    for (const [name, step] of Object.entries(steps)) {
      await Promise.all(
        queues.take(name).map(async (text) => {
          try {
            await step(deps, parsed(text));
          } catch (error) {
            if (!(error instanceof StorageFault)) throw error;
            const count = (tries.get(text) ?? 0) + 1;
            tries.set(text, count);
            await queues(count < MAX_DEQUEUE_COUNT ? name : `${name}-poison`).send(text);
          }
        }),
      );
      crash.restart();
    }
  };

  return {
    ...jobs,
    deps,
    clock,
    queues,
    started,
    lines,
    async watch(watch: unknown, name = 'blue', endpoint = 'heart'): Promise<void> {
      await deps.registry.endpoints.create({ name: endpoint, ...stored, properties: {}, defaultDeployment: null });
      await writeDeployment(deps, [endpoint, name], () => deployment(endpoint, name, watch));
    },
    /** Uploads a file of one line and answers the event of it. */
    async upload(name: string, text: string) {
      const { etag } = await jobs.data.write({ container: 'data', name }, new TextEncoder().encode(`${text}\n`));
      return blobEvent(URL_OF_DATA + name, etag);
    },
    tell: (...events: readonly unknown[]): Promise<void[]> =>
      Promise.all(events.map((event) => queues('blob-events').send(JSON.stringify(event)))),
    serve,
    /** Lets the host work until nothing has come for a while. */
    async settle(): Promise<void> {
      for (let second = 0; second < QUIET_SECONDS; second++) {
        await serve();
        clock.time += 1000;
      }
    },
    /** Runs every job that was started; answers all rows of all predictions, in order of their text. */
    async scored(): Promise<string[]> {
      const rows: string[] = [];
      for (const job of new Set(started)) {
        await jobs.run(job);
        const [, ...found] = ((await jobs.text(`azureml/${job}/score/predictions.csv`)) ?? '').trim().split('\n');
        rows.push(...found);
      }
      return rows.sort();
    },
  };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
