import { randomUUID } from 'node:crypto';
import { JobFault } from '../../domain/errors.ts';
import type { Reason } from '../../domain/job.ts';
import {
  isStepEnded,
  NO_FACTS,
  stepNamed,
  type PipelineSpec,
  type PlannedStep,
  type StepRecord,
} from '../../domain/pipeline/pipeline-job.ts';
import { inSpan, noteFailure } from '../../telemetry/spans.ts';
import type { CommandOutcome, CommandRequest, PipelineDeps, ReadyInput } from './deps.ts';
import { openStep, type StepAnswer, type StepInputMessage } from './open-step.ts';
import { keepResult, takeOver } from './reuse-step.ts';
import { beginScoring, type ScoringStepDeps } from './scoring-step.ts';
import { endStep } from './settle-step.ts';
import { stepLog } from './step-log.ts';
import { versionOfStep } from './step-version.ts';

/** How often a running command is asked whether its pipeline is to stop. */
const LOOK_EVERY_MS = 500;

/**
 * Runs a step and settles it. What a step does wrong is its record; an exception means infrastructure, and the step is tried
 * again. Of two attempts at once the first to finish wins: the other one's outputs are never seen.
 */
export async function runStep(deps: ScoringStepDeps, input: StepInputMessage): Promise<StepAnswer> {
  const [found, stopped, before] = await Promise.all([
    openStep(deps, input),
    deps.jobs.stopped(input.job),
    stepsBefore(deps, input),
  ]);
  if (!found) return { state: 'ended', next: [] };
  const { spec, step, record } = found;
  const ended = (next: string[]): StepAnswer => ({ state: 'ended', next });
  // A repeat of an end tells the dependents again, in case the first died on the way.
  if (isStepEnded(record)) return ended(await endStep(deps, spec, step, record));
  if (record.state === 'committing') return ended(await finish(deps, spec, step, record));

  if (stopped) return ended(await endStep(deps, spec, step, { state: 'canceled', reason: stopped }));
  const missing = before.find((one) => one.state !== 'completed');
  if (missing) {
    const reason = { code: 'StepSkipped', message: `Step '${missing.path}' before it did not complete.` };
    return ended(await endStep(deps, spec, step, { state: 'skipped', reason }));
  }

  const version = await versionOfStep(deps, step, before);
  const earlier = version === undefined ? undefined : await deps.pipelines.result(version);
  if (earlier && (await takeOver(deps, step, earlier))) {
    const { metrics, parameters, versions, job, run } = earlier;
    const reusedFrom = { job, run };
    const { outputs } = step;
    return ended(
      await endStep(deps, spec, step, { state: 'completed', metrics, parameters, versions, outputs, reusedFrom }),
    );
  }
  const inputs = readyInputs(step, before);
  if (step.work.kind === 'scoring') {
    await begin(deps, spec, step, version);
    const scoring = await beginScoring(deps, spec, step, inputs);
    if ('scores' in scoring) return { state: 'scoring', scores: scoring.scores };
    return ended(await endStep(deps, spec, step, { state: 'failed', ...NO_FACTS, reason: scoring.reason }));
  }
  return ended(await runCommand(deps, spec, step, inputs, version));
}

/** Where the steps stand that this one waits for. */
async function stepsBefore({ pipelines }: PipelineDeps, { job, step }: StepInputMessage): Promise<StepRecord[]> {
  const spec = await pipelines.spec(job);
  const paths = spec ? stepNamed(spec, step).dependsOn : [];
  return Promise.all(paths.map((path) => pipelines.step(job, path)));
}

async function begin(
  deps: PipelineDeps,
  { name }: PipelineSpec,
  { path }: PlannedStep,
  version: string | undefined,
): Promise<void> {
  const startedAt = new Date(deps.clock.now()).toISOString();
  await deps.pipelines.changeStep(name, path, (current) =>
    current.state === 'waiting' ? { ...current, state: 'running', startedAt, version } : undefined,
  );
}

/** What the steps before have written is a place by now. */
function readyInputs(step: PlannedStep, before: readonly StepRecord[]): Record<string, ReadyInput> {
  const ready = Object.entries(step.inputs).map(([name, input]): [string, ReadyInput] => {
    if (input.from !== 'step') return [name, input];
    const producer = before.find(({ path }) => path === input.step);
    const output = producer?.state === 'completed' ? producer.outputs[input.output] : undefined;
    if (!output) throw new Error(`step ${input.step} has not written ${input.output}`);
    return [name, { from: 'place', type: input.type, uri: output.uri }];
  });
  return Object.fromEntries(ready);
}

async function runCommand(
  deps: PipelineDeps,
  spec: PipelineSpec,
  step: PlannedStep,
  inputs: Record<string, ReadyInput>,
  version: string | undefined,
): Promise<string[]> {
  const attempt = randomUUID();
  const log = stepLog(deps, step.run);
  const stop = new AbortController();
  const looking = setInterval(() => void lookForStop(deps, spec.name, stop), LOOK_EVERY_MS);
  // The command runs while its start is noted; a fault of that is told when it has ended.
  const begun = begin(deps, spec, step, version);
  begun.catch(() => undefined);
  let outcome: CommandOutcome;
  try {
    const { name: job, createdBy } = spec;
    outcome = await inCommandSpan(deps, { job, step, attempt, inputs, createdBy, print: log.print }, stop.signal);
  } catch (error) {
    const reason = lastingFault(error);
    if (!reason) throw error;
    outcome = { ok: false, facts: NO_FACTS, reason };
  } finally {
    clearInterval(looking);
    await log.end();
  }
  await begun;
  if (!outcome.ok) {
    const stopped = stop.signal.aborted ? await deps.jobs.stopped(spec.name) : undefined;
    if (stopped) return endStep(deps, spec, step, { state: 'canceled', reason: stopped });
    return endStep(deps, spec, step, { state: 'failed', ...outcome.facts, reason: outcome.reason });
  }
  const { facts } = outcome;
  const record = await deps.pipelines.changeStep(spec.name, step.path, (current) =>
    current.state === 'running' ? { ...current, state: 'committing', attempt, version, ...facts } : undefined,
  );
  return finish(deps, spec, step, record);
}

/** A command as a span of its own: beside it a step reads, copies and commits. */
function inCommandSpan(deps: PipelineDeps, request: CommandRequest, signal: AbortSignal): Promise<CommandOutcome> {
  const attributes = { 'batchpoint.step': request.step.path, 'batchpoint.attempt': request.attempt };
  return inSpan('command', { attributes }, async () => {
    const outcome = await deps.executor.execute(request, signal);
    if (!outcome.ok) noteFailure(outcome.reason.code);
    return outcome;
  });
}

/** A fault that no other attempt would mend, in the words for its user. */
function lastingFault(error: unknown): Reason | undefined {
  return error instanceof JobFault ? { code: error.code, message: error.message } : undefined;
}

async function lookForStop(deps: PipelineDeps, job: string, stop: AbortController): Promise<void> {
  try {
    const reason = await deps.jobs.stopped(job);
    if (reason) stop.abort(new JobFault(reason.code, reason.message));
  } catch (error) {
    deps.log.warn({ job, error: String(error) }, 'could not look whether the pipeline is to stop');
  }
}

/** Makes the winner's outputs appear and ends the step with them. */
async function finish(
  deps: PipelineDeps,
  spec: PipelineSpec,
  step: PlannedStep,
  record: StepRecord,
): Promise<string[]> {
  if (isStepEnded(record)) return endStep(deps, spec, step, record);
  if (record.state !== 'committing') throw new Error(`step ${step.path} of pipeline ${spec.name} has no winner`);
  const { metrics, parameters, attempt, version } = record;
  let versions: Record<string, string>;
  try {
    versions = await deps.executor.commit(spec.name, step, attempt, spec.createdBy);
  } catch (error) {
    const reason = lastingFault(error);
    if (!reason) throw error;
    return endStep(deps, spec, step, { state: 'failed', metrics, parameters, reason });
  }
  const { outputs } = step;
  const [next] = await Promise.all([
    endStep(deps, spec, step, { state: 'completed', metrics, parameters, versions, outputs }),
    keepResult(deps, spec, step, version, { versions, metrics, parameters }),
  ]);
  return next;
}
