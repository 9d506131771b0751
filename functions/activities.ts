import * as df from 'durable-functions';
import type { z } from 'zod';
import { runtime } from '../shared/runtime.ts';
import { commitJob, CommitInput } from '../shared/steps/commit-job.ts';
import type { JobDeps } from '../shared/steps/deps.ts';
import type { ActivityInput } from '../shared/steps/observed.ts';
import { endPipeline, failStep, FailStepInput } from '../shared/steps/pipeline/end-pipeline.ts';
import { StepInputMessage } from '../shared/steps/pipeline/open-step.ts';
import { runStep } from '../shared/steps/pipeline/run-step.ts';
import { lookAtScoring, type ScoringStepDeps } from '../shared/steps/pipeline/scoring-step.ts';
import { PipelineInput, takePipeline } from '../shared/steps/pipeline/take-pipeline.ts';
import { JobInput, planJob, PlanInput, takeJob } from '../shared/steps/plan-job.ts';
import { scoreSlice, SliceInput } from '../shared/steps/score-slice.ts';
import { SettleInput, settleJob } from '../shared/steps/settle-job.ts';
import { StopInput, stopJob } from '../shared/steps/stop-job.ts';
import { orchestrations, takeClient } from './durable-client.ts';

/** An activity is a step: its input through a schema, its answer one JSON object. */
function activity<T extends z.ZodType<ActivityInput>>(
  name: string,
  input: T,
  step: (deps: JobDeps, input: z.infer<T>) => Promise<object>,
): void {
  df.app.activity(name, {
    async handler(raw: unknown) {
      const { jobDeps, observeJob } = await runtime();
      const given = input.parse(raw);
      return observeJob(name, given, () => step(jobDeps, given));
    },
  });
}

activity('takeJob', JobInput, takeJob);
activity('planJob', PlanInput, planJob);
activity('scoreSlice', SliceInput, scoreSlice);
activity('stopJob', StopInput, stopJob);
activity('commitJob', CommitInput, commitJob);
activity('settleJob', SettleInput, settleJob);

/** The same of a pipeline, whose steps may start jobs of their own. */
function pipelineActivity<T extends z.ZodType<ActivityInput>>(
  name: string,
  input: T,
  step: (deps: ScoringStepDeps, input: z.infer<T>) => Promise<object>,
): void {
  df.app.activity(name, {
    extraInputs: [df.input.durableClient()],
    async handler(raw: unknown, context) {
      takeClient(context);
      const { pipelineDeps, observePipeline } = await runtime();
      const given = input.parse(raw);
      return observePipeline(name, given, () => step({ ...pipelineDeps, orchestrations }, given));
    },
  });
}

pipelineActivity('takePipeline', PipelineInput, takePipeline);
pipelineActivity('runStep', StepInputMessage, runStep);
pipelineActivity('lookAtScoring', StepInputMessage, lookAtScoring);
pipelineActivity('failStep', FailStepInput, failStep);
pipelineActivity('endPipeline', PipelineInput, endPipeline);
