import { app } from '@azure/functions';
import * as df from 'durable-functions';
import { runtime } from '../shared/runtime.ts';
import { sweepSchedule } from '../shared/settings.ts';
import { sweepJobs } from '../shared/steps/sweep-jobs.ts';
import { orchestrations, pipelineOrchestrations, takeClient } from './durable-client.ts';

/** Looks after the jobs that nobody else looks after. */
app.timer('sweeper', {
  schedule: sweepSchedule(process.env),
  extraInputs: [df.input.durableClient()],
  async handler(_timer, context) {
    const { pipelineDeps, retentionDays } = await runtime();
    takeClient(context);
    await sweepJobs({ ...pipelineDeps, retentionDays, orchestrations, pipelineOrchestrations });
  },
});
