import * as df from 'durable-functions';
import type { OrchestrationContext } from 'durable-functions';
import type { Durable, Story } from './orchestrations/durable.ts';
import { planSegment } from './orchestrations/plan-segment.ts';
import { runPipeline, runPipelineStep } from './orchestrations/run-pipeline.ts';
import { scoreJob } from './orchestrations/score-job.ts';
import { scoreLane } from './orchestrations/score-lane.ts';

/**
 * Every orchestration by version: a running job goes on with the version it was started with (host.json `defaultVersion`).
 * A change of the actions is a new version beside the old one, which leaves when no running job has it (H10).
 */
const versions: Record<string, Record<string, (durable: Durable) => Story<unknown>>> = {
  scoreJob: { '1': scoreJob },
  scoreLane: { '1': scoreLane },
  planSegment: { '1': planSegment },
  runPipeline: { '1': runPipeline },
  runPipelineStep: { '1': runPipelineStep },
};

for (const [name, byVersion] of Object.entries(versions)) {
  df.app.orchestration(name, function* (context: OrchestrationContext) {
    const version = context.df.version || '1';
    const story = byVersion[version];
    if (!story) throw new Error(`this app has no version ${version} of ${name}`);
    return yield* story(context.df);
  });
}
