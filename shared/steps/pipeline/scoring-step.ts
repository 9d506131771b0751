import { z } from 'zod';
import { unlimitedCaller } from '../../auth/caller.ts';
import { ApiError } from '../../domain/errors.ts';
import { InvocationBody } from '../../domain/invocation.ts';
import { formatDuration } from '../../domain/invocation-settings.ts';
import { isEnded, type Reason } from '../../domain/job.ts';
import {
  isStepEnded,
  NO_FACTS,
  type PipelineSpec,
  type PlannedStep,
  type StepWork,
} from '../../domain/pipeline/pipeline-job.ts';
import { sha256 } from '../../domain/blocks.ts';
import { cancelJob } from '../cancel-job.ts';
import { invokeEndpoint, jobName } from '../invoke-endpoint.ts';
import type { Orchestrations } from '../ports.ts';
import type { PipelineDeps, ReadyInput } from './deps.ts';
import { openStep, type StepInputMessage } from './open-step.ts';
import { keepResult } from './reuse-step.ts';
import { endStep } from './settle-step.ts';

/** What a scoring step needs besides: it makes a job of its own. */
export interface ScoringStepDeps extends PipelineDeps {
  readonly orchestrations: Orchestrations;
}

/**
 * Scores with a deployment: a job of its own over the step's input, with its own recovery, that writes where the step's output
 * goes. A repeat finds the same job. Answers its name, or why it cannot be made.
 */
export async function beginScoring(
  deps: ScoringStepDeps,
  spec: PipelineSpec,
  step: PlannedStep,
  inputs: Readonly<Record<string, ReadyInput>>,
): Promise<{ readonly scores: string } | { readonly reason: Reason }> {
  const { work } = step;
  if (work.kind !== 'scoring') throw new Error(`step ${step.path} does not score`);
  const input = inputs[work.input];
  const output = step.outputs[work.output];
  if (input?.from !== 'place' || !output)
    return { reason: { code: 'BadInput', message: `Input '${work.input}' must be a file or a folder of data.` } };
  const uriFolder = input.type !== 'uri_file';
  const { properties: invocation } = InvocationBody.parse({
    properties: {
      name: `${spec.displayName} ${step.path}`.slice(0, 255),
      ...overrideFields(work.overrides),
      inputData: { [work.input]: { jobInputType: uriFolder ? 'UriFolder' : 'UriFile', uri: input.uri } },
      outputData: {
        [work.output]: { jobOutputType: output.uri.endsWith('/') ? 'UriFolder' : 'UriFile', uri: output.uri },
      },
    },
  });
  try {
    const { endpoint, deployment } = work;
    const requestId = sha256(`${spec.name}/${step.path}`);
    const caller = unlimitedCaller(spec.createdBy);
    const request = { endpoint, deployment: deployment ?? undefined, invocation, requestId, caller };
    return { scores: (await invokeEndpoint(deps, request)).spec.name };
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    return { reason: { code: error.code, message: error.message } };
  }
}

/** As an invocation writes them. */
const overrideFields = ({
  instanceCount,
  maxRetries,
  timeoutSeconds,
  ...same
}: Extract<StepWork, { kind: 'scoring' }>['overrides']) => ({
  ...same,
  ...(instanceCount !== undefined && { compute: { instanceCount } }),
  retrySettings: {
    ...(maxRetries !== undefined && { maxRetries }),
    ...(timeoutSeconds !== undefined && { timeout: formatDuration(timeoutSeconds) }),
  },
});

export const ScoringStepAnswer = z.object({ ended: z.boolean(), next: z.array(z.string()) });
export type ScoringStepAnswer = z.infer<typeof ScoringStepAnswer>;

/** Looks after a scoring step's job: `ended` once it has ended, and the step with it. Cancels it when the pipeline is to stop. */
export async function lookAtScoring(deps: ScoringStepDeps, input: StepInputMessage): Promise<ScoringStepAnswer> {
  const found = await openStep(deps, input);
  if (!found) return { ended: true, next: [] };
  const { spec, step, record } = found;
  if (isStepEnded(record)) return { ended: true, next: await endStep(deps, spec, step, record) };
  if (step.work.kind !== 'scoring') throw new Error(`step ${step.path} does not score`);
  const job = jobName(sha256(`${spec.name}/${step.path}`), step.work.endpoint, spec.createdBy);
  const scoring = (await deps.jobs.get(job))?.value;
  if (!scoring) throw new Error(`the scoring job ${job} of step ${step.path} is gone`);
  if (!isEnded(scoring)) {
    if ((await deps.jobs.stopped(spec.name)) && !scoring.cancelRequested) await cancelJob(deps, job);
    return { ended: false, next: [] };
  }
  const { totals } = scoring;
  const metrics = totals ? { ...totals } : {};
  if (scoring.state === 'completed') {
    const versions = { [step.work.output]: sha256(job) };
    const { outputs } = step;
    const next = await endStep(deps, spec, step, { state: 'completed', metrics, parameters: {}, versions, outputs });
    const version = 'version' in record ? record.version : undefined;
    await keepResult(deps, spec, step, version, { versions, metrics, parameters: {} });
    return { ended: true, next };
  }
  const { reason } = scoring;
  const ending =
    scoring.state === 'canceled'
      ? { state: 'canceled' as const, reason }
      : { state: 'failed' as const, ...NO_FACTS, metrics, reason };
  return { ended: true, next: await endStep(deps, spec, step, ending) };
}
