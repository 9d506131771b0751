import { tmpdir } from 'node:os';
import { STANDARD_LIMITS } from '../../shared/limit-settings.ts';
import type { Limits } from '../../shared/domain/limits.ts';
import type { MiniBatchUnit } from '../../shared/domain/mini-batch-unit.ts';
import { segmentSizes, type SegmentSizes } from '../../shared/domain/segments.ts';
import { ScoringSettings, Extensions } from '../../shared/domain/settings.ts';
import type { JobRecord, JobSpec } from '../../shared/domain/job.ts';
import type { Engine } from '../../shared/scoring/engine.ts';
import { memoryBlobs } from '../../shared/storage/memory-blobs.ts';
import { memoryTables } from '../../shared/storage/memory-tables.ts';
import type { Blobs, Table } from '../../shared/storage/ports.ts';
import { collect } from '../../shared/storage/json-blobs.ts';
import { jobsRegistry } from '../../shared/storage/registry/jobs.ts';
import { resourceRegistry } from '../../shared/storage/registry/resources.ts';
import { commitJob, type CommitAnswer, type LaneResult } from '../../shared/steps/commit-job.ts';
import { datastoreSource, type Datastores } from '../../shared/steps/datastore-source.ts';
import type { JobDeps } from '../../shared/steps/deps.ts';
import { jobFiles } from '../../shared/steps/job-files.ts';
import { jobLogChunks } from '../../shared/steps/job-log-chunks.ts';
import { processTurns } from '../../shared/steps/process-turns.ts';
import { sliceTime } from '../../shared/steps/slice-time.ts';
import { planJob, takeJob, type JobInput, type PlannedSegment } from '../../shared/steps/plan-job.ts';
import { scoreSlice, type SliceAnswer, type SliceInput } from '../../shared/steps/score-slice.ts';
import type { Clock } from '../../shared/steps/ports.ts';
import { settleJob } from '../../shared/steps/settle-job.ts';
import { noDelegations } from './no-delegations.ts';
import { silent } from './silent-log.ts';
import { lineEngine, type LineEngine } from './line-engine.ts';

const ACCOUNT = 'https://account.blob.core.windows.net';

export interface JobWorld {
  readonly deps: JobDeps;
  /** Of jobs and resources, as the app sees it. */
  readonly table: Table;
  /** The app's own blobs. */
  readonly system: Blobs;
  readonly engine: LineEngine;
  /** The datastore's blobs as the test sees them, whatever `faulty` does to the app. */
  readonly data: Blobs;
  put(files: Readonly<Record<string, string>>): Promise<void>;
  /** Accepts a job over `in/` that writes to `out/predictions.csv`. */
  accept(name: string, settings?: Partial<ScoringSettings>, change?: Partial<JobSpec>): Promise<JobSpec>;
  take(name: string): Promise<void>;
  /** Plays the orchestrator: plan, every lane to its end, fan-in. */
  run(name: string): Promise<JobRecord>;
  commit(name: string, lanes: readonly LaneResult[]): Promise<CommitAnswer>;
  /** Slices of one lane until its end. */
  lane(name: string, lane: number): Promise<LaneResult>;
  slice(name: string, lane: number, from?: Pick<SliceAnswer, 'position' | 'receipt'>): Promise<SliceAnswer>;
  /** Plays the orchestrator of a later generation. */
  resume(name: string, generation: number): Promise<JobRecord>;
  /** The steps in another process over the same storage; what is given differs there. */
  process(change?: Partial<JobDeps>): JobDeps;
  record(name: string): Promise<JobRecord>;
  text(blob: string): Promise<string | undefined>;
}

const EXECUTION = 'the-execution';

/** The steps of a scoring job over storage in memory, with the data's storage optionally made faulty. */
export function jobWorld(
  options: {
    faulty?: (blobs: Blobs) => Blobs;
    /** What the app makes of its own storage. */
    system?: (blobs: Blobs) => Blobs;
    table?: (table: Table) => Table;
    sliceMs?: number;
    slots?: number;
    blockBytes?: number;
    segmentSizes?: SegmentSizes;
    clock?: Clock;
    limits?: Partial<Limits>;
    /** Opens datastores that are made besides `store`. */
    open?: Datastores['open'];
    /** Instead of the line engine. */
    engine?: Engine;
    workFolder?: string;
    /** What `miniBatchSize` counts; with another than files, input has no header lines. */
    unit?: MiniBatchUnit;
  } = {},
): JobWorld {
  const system = memoryBlobs();
  const data = memoryBlobs();
  const blobs = options.faulty?.(data) ?? data;
  const lines = lineEngine();
  const engine = options.engine ?? lines;
  const address = { name: 'store', account: 'account', container: 'data', endpoint: ACCOUNT };
  const workspace = { subscriptionId: 's', resourceGroup: 'r', workspace: 'w' };
  const table = memoryTables()('registry');
  const storage = { table: options.table?.(table) ?? table, blobs: options.system?.(system) ?? system };
  const registry = resourceRegistry(storage);
  const clock = options.clock ?? { now: () => Date.now() };
  const deps: JobDeps = {
    jobs: jobsRegistry(storage),
    registry,
    files: jobFiles(storage.blobs),
    logs: jobLogChunks(storage.blobs),
    datastores: datastoreSource({
      configured: [{ address, blobs }],
      registry,
      open: options.open ?? (() => undefined),
      clock,
    }),
    delegations: noDelegations(storage.blobs, clock),
    workspace,
    engine: async () => ({ engine, release() {} }),
    workFolder: () => Promise.resolve(options.workFolder ?? tmpdir()),
    clock,
    limits: { ...STANDARD_LIMITS, ...options.limits },
    log: silent,
    turns: processTurns(),
    sliceTime: sliceTime(),
    ...{ storageWaits: { since: () => 0 }, longestTryMs: 60_000 },
    sliceMs: options.sliceMs ?? 60_000,
    slots: options.slots ?? 8,
    blockBytes: options.blockBytes ?? 4 * 1024 * 1024,
    segmentSizes: options.segmentSizes ?? segmentSizes(20_000),
  };
  const ready = Promise.all([system.ensureContainer('batchpoint-jobs'), data.ensureContainer('data')]);
  const world: JobWorld = {
    deps,
    table: storage.table,
    system: storage.blobs,
    engine: lines,
    data,
    async put(files) {
      await ready;
      for (const [name, text] of Object.entries(files))
        await data.write({ container: 'data', name }, new TextEncoder().encode(text));
    },
    async accept(name, settings = {}, change = {}) {
      await ready;
      const spec: JobSpec = {
        name,
        displayName: name,
        endpoint: 'heart',
        deployment: 'blue',
        description: null,
        tags: {},
        properties: {},
        model: { name: 'm', version: '1' },
        settings: ScoringSettings.parse({ miniBatchSize: 1, ...settings }),
        extensions: Extensions.parse(
          options.unit ? { miniBatchUnit: options.unit, csvHeader: options.unit === 'files' } : {},
        ),
        input: {
          name: 'in',
          kind: 'UriFolder',
          uri: 'azureml://datastores/store/paths/in',
          mode: 'ReadOnlyMount',
          description: null,
        },
        output: {
          name: 'out',
          kind: 'UriFile',
          uri: 'azureml://datastores/store/paths/out/predictions.csv',
          mode: 'ReadWriteMount',
          description: null,
        },
        createdBy: 'tester',
        createdAt: new Date(deps.clock.now()).toISOString(),
        requestHash: name,
        ...change,
      };
      await deps.jobs.create(spec);
      return spec;
    },
    async take(name) {
      await takeJob(deps, { job: name, execution: EXECUTION });
    },
    async run(name) {
      const { over } = await takeJob(deps, { job: name, execution: EXECUTION });
      if (!over) {
        const plan = await planJob(deps, { job: name, execution: EXECUTION });
        if (!plan.ok) await settleJob(deps, { job: name, reason: plan.reason });
        else await scoreSegments(deps, { job: name, execution: EXECUTION }, plan);
      }
      return world.record(name);
    },
    commit: (name, lanes) => commitJob(deps, { job: name, execution: EXECUTION, lanes: [...lanes] }),
    lane: (name, lane) => runLane(deps, { job: name, lane }, null),
    slice: (name, lane, from) =>
      scoreSlice(deps, { job: name, lane, position: from?.position ?? null, receipt: from?.receipt ?? null }),
    async resume(name, generation) {
      const run = { job: name, execution: `execution-${generation}`, generation };
      const { over } = await takeJob(deps, run);
      if (over) return world.record(name);
      const plan = await planJob(deps, run);
      if (!plan.ok) await settleJob(deps, { job: name, reason: plan.reason, generation });
      else await scoreSegments(deps, run, plan);
      return world.record(name);
    },
    process: (change = {}) => ({ ...deps, turns: processTurns(), sliceTime: sliceTime(), ...change }),
    async record(name) {
      const found = await deps.jobs.get(name);
      if (!found) throw new Error(`there is no job ${name}`);
      return found.value;
    },
    async text(blob) {
      const found = await data.read({ container: 'data', name: blob });
      return found && new TextDecoder().decode(await collect(found.body));
    },
  };
  return world;
}

/** Plays the rest of the orchestrator of a job: its segments from this one on, each planned while the one before is scored. */
export async function scoreSegments(
  deps: JobDeps,
  { job, execution, ...run }: JobInput,
  first: PlannedSegment,
): Promise<CommitAnswer> {
  for (let planned = first; ;) {
    const { segment, firstLane = 0, starts, more } = planned;
    const part = segment === undefined ? {} : { segment };
    const lanes = Array.from({ length: planned.lanes }, (_, index) =>
      runLane(deps, { job, lane: firstLane + index, ...run, ...part }, starts?.[index] ?? null),
    );
    const [results, next] = await Promise.all([
      Promise.all(lanes),
      more && planJob(deps, { job, execution, ...run, segment: (segment ?? 0) + 1 }),
    ]);
    if (!next?.ok || next.lanes === 0 || !results.every(({ ok }) => ok)) {
      const reason = next?.ok === false ? { reason: next.reason } : {};
      return commitJob(deps, { job, execution, lanes: results, ...part, ...reason });
    }
    planned = next;
  }
}

/** Slices of one lane from a start, or from its beginning, to its end. */
export async function runLane(
  deps: JobDeps,
  lane: Pick<SliceInput, 'job' | 'lane' | 'generation' | 'segment'>,
  start: Pick<SliceAnswer, 'position' | 'receipt'> | null,
): Promise<LaneResult> {
  for (let at: Pick<SliceInput, 'position' | 'receipt'> = start ?? { position: null, receipt: null }; ;) {
    const { position, receipt } = at;
    const answer = await scoreSlice(deps, { ...lane, position, receipt });
    if (!answer.ok || answer.done) return { ok: answer.ok, receipt: answer.receipt, reason: answer.reason };
    at = answer;
  }
}

/** Plans a job that was accepted and answers its lanes. */
export async function planned(world: JobWorld, name: string): Promise<number> {
  await world.take(name);
  const plan = await planJob(world.deps, { job: name, execution: EXECUTION });
  if (!plan.ok) throw new Error(plan.reason.message);
  return plan.lanes;
}

/** `count` files of one line each, named so that their order is their number's. */
export const numbered = (count: number): Record<string, string> =>
  Object.fromEntries(Array.from({ length: count }, (_, i) => [`in/f${String(i).padStart(3, '0')}.csv`, `v${i}\n`]));

/** The output that files of `numbered` give, in input order. */
export const numberedOutput = (count: number): string =>
  ['file,row,value', ...Array.from({ length: count }, (_, i) => `f${String(i).padStart(3, '0')}.csv,0,v${i}`), ''].join(
    '\n',
  );

/** An input of `count` records that a test scores in either of two ways: so many files of one record, or one file of so many. */
export interface Shape {
  readonly unit: MiniBatchUnit;
  input(count: number): Record<string, string>;
  /** The output that the input gives, in input order. */
  output(count: number): string;
  /** What the line engine has seen of a record, in mini-batches of one. */
  seen(record: number): string;
  /** Files of an input of so many records. */
  files(count: number): number;
  /** How often the plan reads what is in the input, however many records it has. */
  readonly planReads: number;
}

const lines = (count: number, line: (i: number) => string): string[] =>
  Array.from({ length: count }, (_, i) => line(i));

export const SHAPES: readonly Shape[] = [
  {
    unit: 'files',
    input: numbered,
    output: numberedOutput,
    seen: (record) => `f${String(record).padStart(3, '0')}.csv`,
    files: (count) => count,
    planReads: 0,
  },
  {
    unit: 'records',
    input: (count) => ({ 'in/f.csv': lines(count, (i) => `v${i}\n`).join('') }),
    output: (count) => ['file,row,value', ...lines(count, (i) => `f.csv,${i},v${i}`), ''].join('\n'),
    seen: (record) => `f.csv:${record}`,
    files: () => 1,
    // A sample, and then all of it.
    planReads: 2,
  },
];
