import { z } from 'zod';
import { blockId, MAX_PLANNED_BLOCKS } from '../domain/blocks.ts';
import { ApiError, JobFault } from '../domain/errors.ts';
import { generationOf, Reason, type JobRecord, type JobSpec } from '../domain/job.ts';
import { cutLanes, type Manifest, type Target } from '../domain/plan.ts';
import { scorerFieldsOf } from '../domain/scorer.ts';
import { StorageFault } from '../storage/ports.ts';
import { datastoreOf, type JobDeps } from './deps.ts';
import { isStale } from './errors-file.ts';
import { jobAddress } from './job-address.ts';
import type { Plan } from './job-files.ts';
import { logLine, printToJob } from './job-log.ts';
import { inputBlobs, outputBlobs, type RunsAs } from './job-storage.ts';
import { laneLimit } from './lane-limit.ts';
import { whereToGoOn } from './lane-reached.ts';
import { listInput, pinListed } from './list-input.ts';
import { outputTarget } from './output-target.ts';
import { planMiniBatches } from './plan-mini-batches.ts';
import { watchesOver } from './watched-deployments.ts';

export const JobInput = z.object({
  job: z.string(),
  execution: z.string(),
  /** Absent for the job's first generation, as in every activity's input. */
  generation: z.number().optional(),
});
export type JobInput = z.infer<typeof JobInput>;

export const TakeAnswer = z.object({ over: z.boolean() });
export type TakeAnswer = z.infer<typeof TakeAnswer>;

/** Counts only: the lists are in the manifest. */
export const PlanAnswer = z.discriminatedUnion('ok', [
  z.object({
    ok: z.literal(true),
    lanes: z.number(),
    /** Where each lane goes on, by lane; null for its beginning. Only of a generation that resumes. */
    starts: z.array(z.object({ position: z.number(), receipt: z.string() }).nullable()).optional(),
  }),
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
 * Lists and pins the input, reserves the output, cuts the lanes and writes the manifest. A repeat answers the same plan, and so
 * does a later generation, which goes on where the lanes' receipts end.
 */
export async function planJob(deps: JobDeps, { job, execution, generation }: JobInput): Promise<PlanAnswer> {
  try {
    const stopped = await deps.jobs.stopped(job, generation);
    if (stopped) return { ok: false, reason: stopped };
    const plan = (await deps.files.findPlan(job)) ?? (await makePlan(deps, job));
    const { files, lanes, model, output } = plan.manifest;
    const starts = generation === undefined ? {} : { starts: await laneStarts(deps, plan) };
    await deps.jobs.transition(job, (current) =>
      current.state === 'planning' && current.execution === execution
        ? ({ ...current, state: 'scoring', files: files.length, lanes: lanes.length } satisfies JobRecord)
        : undefined,
    );
    deps.log.info({ job, files: files.length, lanes: lanes.length }, 'planned');
    const facts = {
      files: files.length,
      miniBatches: lanes.at(-1)?.to ?? 0,
      lanes: lanes.length,
      model: `${model.name}:${model.version}`,
      output: output.blob,
    };
    await printToJob(deps, job, [logLine(deps.clock.now(), 'info', 'job planned', facts)]);
    return { ok: true, lanes: lanes.length, ...starts };
  } catch (error) {
    const reason = planFault(error);
    if (!reason) throw error;
    return { ok: false, reason };
  }
}

async function makePlan(deps: JobDeps, job: string): Promise<Plan> {
  const spec = await deps.jobs.spec(job);
  if (!spec) throw new Error(`the spec of job ${job} is gone`);
  return deps.files.writePlan(await makeManifest(deps, spec));
}

async function laneStarts(deps: JobDeps, plan: Plan): Promise<({ position: number; receipt: string } | null)[]> {
  const rows = await deps.jobs.progress(plan.manifest.job);
  const starts = plan.manifest.lanes.map(async (_, lane) => {
    const row = rows.find((each) => each.lane === lane);
    const reached = await whereToGoOn(deps, plan, lane, row);
    return reached ? { position: reached.position, receipt: reached.receipt } : null;
  });
  return Promise.all(starts);
}

async function makeManifest(deps: JobDeps, spec: JobSpec): Promise<Manifest> {
  const { settings, extensions } = spec;
  const input = await jobAddress(deps, spec.name, 'input', spec.input);
  const { output, errors } = await outputTarget(deps, spec);
  await refuseWatched(deps, output, errors);
  const as = { job: spec.name, delegation: spec.delegation };
  const blobs = await inputBlobs(deps, as, input.datastore);
  const source = { blobs, limits: deps.limits };
  const listed = spec.listedInput
    ? await pinListed(source, input, await deps.files.input(spec.name))
    : await listInput(source, spec.input.kind, input, extensions.recursive);
  await claimOutput(deps, as, [output, errors]);

  const planned = await planMiniBatches({ blobs, container: input.container }, spec, deps.limits, listed);
  const files = [...planned.files];
  const bytes = files.reduce((sum, file) => sum + file.length, 0);
  return {
    job: spec.name,
    model: spec.model,
    ...scorerFieldsOf(spec),
    settings,
    extensions,
    ...(spec.delegation !== undefined && { delegation: spec.delegation }),
    inputDatastore: input.datastore,
    inputContainer: input.container,
    files,
    ...(planned.starts && { miniBatches: planned.starts }),
    lanes: cutLanes(planned.bytes, laneLimit(spec, deps.slots)),
    output,
    errors,
    // Predictions are seldom larger than their input; what is, still has the other half of the limit.
    blockBytes: Math.max(deps.blockBytes, Math.ceil(bytes / MAX_PLANNED_BLOCKS)),
  };
}

/** An output that a deployment watches would start a job, whose output might start another (S4.5). */
async function refuseWatched(deps: JobDeps, output: Target, errors: Target): Promise<void> {
  const [watch] = await watchesOver(deps, output.datastore, output.blob, errors.blob);
  if (!watch) return;
  throw new JobFault(
    'OutputWatched',
    `Deployment '${watch.deployment}' of endpoint '${watch.endpoint}' watches the output path: ${output.blob} in datastore ${output.datastore}. Give another path.`,
  );
}

/** The output must be absent, ours alone among this app's jobs, and free of a stranger's staged blocks (S1.2, S1.6). */
async function claimOutput(deps: JobDeps, as: RunsAs, targets: readonly [Target, Target]): Promise<void> {
  for (const target of targets) await claim(deps, as, target);
}

async function claim(deps: JobDeps, as: RunsAs, target: Target): Promise<void> {
  const { job } = as;
  const blobs = await outputBlobs(deps, as, target.datastore);
  const ref = { container: target.container, name: target.blob };
  const where = `${target.blob} in datastore ${target.datastore}`;
  const there = await blobs.head(ref);
  if (there && !(await isStale(deps, there.metadata)))
    throw new JobFault('OutputExists', `The output path already exists: ${where}. Give another path or file name.`);
  const holder = await deps.jobs.reserve(await reservationOf(deps, target), job);
  if (holder !== job)
    throw new JobFault('OutputReserved', `Job ${holder} is writing to the same output path: ${where}.`);
  try {
    await blobs.stageBlock(ref, blockId(job, 0, 'probe', 0), PROBE);
  } catch (error) {
    if (!(error instanceof StorageFault && error.code === 'InvalidBlobOrBlock')) throw error;
    throw new JobFault(
      'OutputBlocked',
      `Another writer has staged blocks on the output path ${target.blob}. Give another path or file name.`,
    );
  }
}

const PROBE = new TextEncoder().encode('A probe of this path, never committed.');

/** Outputs are reserved by their canonical address, by whichever name and with whosever rights it is reached. */
export async function reservationOf(
  deps: Pick<JobDeps, 'datastores'>,
  { datastore, container, blob }: Target,
): Promise<string> {
  const { address } = await datastoreOf(deps, datastore);
  return `${address.endpoint}/${container}/${blob}`;
}

/** The one line that a user gets for a fault that no retry would mend; undefined for the others. */
function planFault(error: unknown): Reason | undefined {
  if (error instanceof JobFault) return { code: error.code, message: error.message };
  if (error instanceof ApiError) return { code: error.code, message: error.message };
  if (error instanceof StorageFault && error.status >= 400 && error.status < 500 && error.status !== 429)
    return { code: 'StorageRefused', message: error.message };
  return undefined;
}
