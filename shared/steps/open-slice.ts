import { randomUUID } from 'node:crypto';
import type { Failure } from '../domain/job.ts';
import { NO_TALLIES, type LaneTallies, type Receipt } from '../domain/receipts.ts';
import type { Engine } from '../scoring/engine.ts';
import { blockWriter } from './block-writer.ts';
import type { JobDeps } from './deps.ts';
import type { Plan } from './job-files.ts';
import type { JobLog } from './job-log.ts';
import { inputBlobs, outputBlobs } from './job-storage.ts';
import { codeScoring } from './score-code.ts';
import { fileScoring } from './score-files.ts';
import type { Scoring, SliceWork } from './slice-work.ts';
import { outputStaging } from './stage-output-files.ts';
import { watchStop } from './stop-watch.ts';
import { workFolder } from './work-folder.ts';

/** Mini-batches [from, to) of a lane. */
export interface Range {
  readonly plan: Plan;
  readonly generation: number;
  readonly lane: number;
  readonly from: number;
  readonly to: number;
  /** The receipt that ends at `from`. */
  readonly receipt: string | null;
}

/** With the engine that scores them, which its caller holds. */
export interface LoadedRange extends Range {
  readonly engine: Engine;
}

export interface OpenSlice {
  /** By which the slice's blocks and its receipt are told from those of any other try. */
  readonly attempt: string;
  /** Of the lane, before this slice. */
  readonly before: LaneTallies;
  readonly work: SliceWork;
  /** Ends what is under way. */
  close(): Promise<void>;
}

/** All that a slice scores with. It goes on from the tallies and columns of the receipt before it. */
export async function openSlice(deps: JobDeps, range: LoadedRange, log: JobLog): Promise<OpenSlice> {
  const { engine } = range;
  const { manifest } = range.plan;
  const previous = await receiptBefore(deps, manifest.job, range.receipt);
  const before = previous?.tallies ?? NO_TALLIES;
  log.goOnFrom(previous?.printed ?? 0);
  const input = await inputBlobs(deps, manifest, manifest.inputDatastore);
  const output = await outputBlobs(deps, manifest, manifest.output.datastore);
  const attempt = randomUUID();
  const owner = { job: manifest.job, lane: range.lane, attempt };
  const scoring = scoringOf(deps, engine, () => outputStaging(output, manifest, owner));
  const stop = watchStop(deps.log, () => deps.jobs.stopped(manifest.job, range.generation));
  const writerTo = ({ container, blob }: typeof manifest.output) =>
    blockWriter({ blobs: output, ref: { container, name: blob }, blockBytes: manifest.blockBytes }, owner);
  return {
    attempt,
    before,
    work: {
      manifest,
      input,
      scoring,
      output: writerTo(manifest.output),
      errors: writerTo(manifest.errors),
      tallies: { ...before },
      partial: previous?.partial ?? [],
      failures: new Array<Failure>(),
      codes: new Map(),
      files: [],
      known: engine.columns
        ? { columns: engine.columns }
        : { columns: previous?.columns ?? null, columnsOf: previous?.columnsOf },
      log,
      stopped: stop.signal,
      bounds: deps,
    },
    async close() {
      stop.end();
      await scoring.end();
    },
  };
}

async function receiptBefore(deps: JobDeps, job: string, name: string | null): Promise<Receipt | undefined> {
  if (name === null) return undefined;
  const previous = await deps.files.receipt(job, name);
  if (!previous) throw new Error(`receipt ${name} of job ${job} is gone`);
  return previous;
}

function scoringOf(deps: JobDeps, engine: Engine, staging: () => ReturnType<typeof outputStaging>): Scoring {
  if (engine.kind === 'file') return fileScoring(engine);
  return codeScoring({
    engine,
    folder: workFolder(deps.workFolder, deps.log, deps.codeUser),
    staging: staging(),
  });
}
