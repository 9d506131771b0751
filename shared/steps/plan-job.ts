import { z } from 'zod';
import { ApiError, JobFault } from '../domain/errors.ts';
import { generationOf, Reason, type JobRecord, type LaneProgress } from '../domain/job.ts';
import { NO_TALLIES } from '../domain/receipts.ts';
import { startAfter, startOf } from '../domain/segments.ts';
import { StorageFault } from '../storage/ports.ts';
import type { JobDeps } from './deps.ts';
import type { Plan } from './job-files.ts';
import { logLine, printToJob } from './job-log.ts';
import { whereToGoOn } from './lane-reached.ts';
import { signsOfLife } from './lane-report.ts';
import { rowOf } from './link-segments.ts';
import { makePlan } from './make-plan.ts';

export const JobInput = z.object({
  job: z.string(),
  execution: z.string(),
  /** Absent for the job's first generation, as in every activity's input. */
  generation: z.number().optional(),
});
export type JobInput = z.infer<typeof JobInput>;

export const TakeAnswer = z.object({ over: z.boolean() });
export type TakeAnswer = z.infer<typeof TakeAnswer>;

/** Which part of the input is planned; absent: the first, or where a generation that resumes goes on. */
export const PlanInput = JobInput.extend({ segment: z.number().optional() });
export type PlanInput = z.infer<typeof PlanInput>;

/** A segment that is planned, in counts only: the lists are in the manifest. */
export const PlannedSegment = z.object({
  ok: z.literal(true),
  /** May be none, except of the first segment. */
  lanes: z.number(),
  /** There is another segment behind it; absent: the whole input is planned. */
  more: z.literal(true).optional(),
  /** Its number, and that of its first lane; absent for the first. */
  segment: z.number().optional(),
  firstLane: z.number().optional(),
  /** Where each lane goes on, by its place in the segment; null for its beginning. Only of a generation that resumes. */
  starts: z.array(z.object({ position: z.number(), receipt: z.string() }).nullable()).optional(),
});
export type PlannedSegment = z.infer<typeof PlannedSegment>;

export const PlanAnswer = z.discriminatedUnion('ok', [
  PlannedSegment,
  z.object({ ok: z.literal(false), reason: Reason }),
]);
export type PlanAnswer = z.infer<typeof PlanAnswer>;

/**
 * Takes the job for one execution of its orchestration. `over` when it has ended or belongs to another execution or generation:
 * starting an orchestration again under a finished id silently runs it anew (B5).
 */
export async function takeJob(deps: JobDeps, { job, execution, generation }: JobInput): Promise<TakeAnswer> {
  const now = new Date(deps.clock.now()).toISOString();
  const record = await deps.jobs.transition(job, (current) => {
    if (generationOf(current) !== generationOf({ generation })) return undefined;
    if (current.state === 'accepted') return { ...current, state: 'planning', execution, startedAt: now };
    if (current.state !== 'resuming') return undefined;
    return { ...current, state: 'planning', execution, startedAt: current.startedAt ?? now };
  });
  return { over: record?.state !== 'planning' || record.execution !== execution };
}

/**
 * Plans a segment of the input: lists and pins it, cuts its lanes and writes its manifest; the first one reserves the output. A
 * repeat answers the same plan, and so does a later generation, which goes on where the lanes' receipts end. Whatever cannot be
 * planned behind the first segment stops the lanes that are being scored.
 */
export async function planJob(
  deps: JobDeps,
  { job, execution, generation, segment = 0 }: PlanInput,
): Promise<PlanAnswer> {
  try {
    const [stopped, there] = await Promise.all([deps.jobs.stopped(job, generation), deps.files.findPlan(job, segment)]);
    if (stopped) return { ok: false, reason: stopped };
    const planned = there ?? (await planNow(deps, job, segment));
    const { plan, starts } =
      generation === undefined ? { plan: planned } : await goingOn(deps, planned, segment === 0 ? 'anywhere' : 'here');
    const { manifest } = plan;
    const start = startOf(manifest);
    const more = manifest.next !== undefined;
    const known = { files: startAfter(manifest).files, lanes: manifest.lanes.length };
    const facts = {
      ...(start.segment > 0 && { segment: start.segment }),
      files: manifest.files.length,
      miniBatches: startAfter(manifest).miniBatches - start.miniBatches,
      lanes: manifest.lanes.length,
    };
    const places = { model: `${manifest.model.name}:${manifest.model.version}`, output: manifest.output.blob };
    const line = start.segment > 0 ? 'more of the input planned' : 'job planned';
    const shown = { ...facts, ...(start.segment === 0 && places), ...(more && { more }) };
    await Promise.all([
      deps.jobs.transition(job, (current) => planNoted(current, execution, known, more)),
      printToJob(deps, job, [logLine(deps.clock.now(), 'info', line, shown)]),
    ]);
    deps.log.info({ job, ...facts }, 'planned');
    return {
      ok: true,
      lanes: manifest.lanes.length,
      ...(more && { more }),
      ...(start.segment > 0 && { segment: start.segment, firstLane: start.lanes }),
      ...(starts && { starts }),
    };
  } catch (error) {
    const reason = planFault(error);
    if (!reason) throw error;
    if (segment > 0) await deps.jobs.stop(job, reason);
    return { ok: false, reason };
  }
}

async function planNow(deps: JobDeps, job: string, segment: number): Promise<Plan> {
  if (segment === 0) return makePlan(deps, job, undefined);
  const { manifest } = await deps.files.plan(job, segment - 1);
  const { lanes: lane, miniBatches: position } = startAfter(manifest);
  // The lanes before may have ended: the row of the lane that comes next shows that the job lives.
  const life = signsOfLife(deps, job, { lane, position, tallies: NO_TALLIES, receipt: null });
  try {
    return await makePlan(deps, job, manifest);
  } finally {
    life.end();
  }
}

/** The record of a job of which so much is planned; undefined when the plan is not its execution's, or known already. */
function planNoted(
  current: JobRecord,
  execution: string,
  { files, lanes }: { readonly files: number; readonly lanes: number },
  more: boolean,
): JobRecord | undefined {
  if (current.state !== 'planning' && current.state !== 'scoring') return undefined;
  if (current.execution !== execution) return undefined;
  if (current.state === 'planning')
    return { ...current, state: 'scoring', files, lanes, ...(more && { listing: true }) };
  if (current.files > files || current.listing === undefined) return undefined;
  const { listing: _, ...known } = current;
  // The lanes of two segments may be queued at once, those of one as it ends.
  return { ...known, files, lanes: Math.max(lanes, current.lanes), ...(more && { listing: true }) };
}

type Starts = NonNullable<PlannedSegment['starts']>;

/** Where a generation that resumes goes on: in this segment, or in the first behind it of which something is left. */
async function goingOn(deps: JobDeps, from: Plan, where: 'here' | 'anywhere'): Promise<{ plan: Plan; starts: Starts }> {
  const rows = await deps.jobs.progress(from.manifest.job);
  for (let plan = from; ;) {
    const { job, lanes, next } = plan.manifest;
    const starts = await laneStarts(deps, plan, rows);
    const done = lanes.every(({ to }, index) => starts[index]?.position === to);
    const behind =
      where === 'anywhere' && done && next && (await deps.files.findPlan(job, startAfter(plan.manifest).segment));
    if (!behind || behind.manifest.lanes.length === 0) return { plan, starts };
    plan = behind;
  }
}

async function laneStarts(deps: JobDeps, plan: Plan, rows: readonly LaneProgress[]): Promise<Starts> {
  const first = startOf(plan.manifest).lanes;
  const starts = plan.manifest.lanes.map(async (_, index) => {
    const reached = await whereToGoOn(deps, plan, first + index, rowOf(rows, first + index));
    return reached ? { position: reached.position, receipt: reached.receipt } : null;
  });
  return Promise.all(starts);
}

/** The one line that a user gets for a fault that no retry would mend; undefined for the others. */
function planFault(error: unknown): Reason | undefined {
  if (error instanceof JobFault) return { code: error.code, message: error.message };
  if (error instanceof ApiError) return { code: error.code, message: error.message };
  if (error instanceof StorageFault && error.status >= 400 && error.status < 500 && error.status !== 429)
    return { code: 'StorageRefused', message: error.message };
  return undefined;
}
