import { app } from '@azure/functions';
import * as df from 'durable-functions';
import { runtime } from '../shared/runtime.ts';
import { Settings } from '../shared/settings.ts';
import { sweepJobs } from '../shared/steps/sweep-jobs.ts';
import { orchestrations, takeClient } from './durable-client.ts';

/** Looks after the jobs that nobody else looks after. */
app.timer('sweeper', {
  // Triggers are fixed when the app loads, before the settings are read as a whole.
  schedule: Settings.shape.BATCHPOINT_SWEEP_SCHEDULE.parse(process.env['BATCHPOINT_SWEEP_SCHEDULE']),
  extraInputs: [df.input.durableClient()],
  async handler(_timer, context) {
    const { jobDeps, retentionDays } = await runtime();
    takeClient(context);
    await sweepJobs({ ...jobDeps, retentionDays, orchestrations });
  },
});
