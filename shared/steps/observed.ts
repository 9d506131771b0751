import type { JobTrace } from '../domain/job-trace.ts';
import { keepNewest } from '../domain/keep-newest.ts';
import { inScope, type JobScope } from '../telemetry/job-scope.ts';
import { belowJob } from '../telemetry/job-span.ts';
import { took, type DurationName } from '../telemetry/metrics.ts';
import { inSpan } from '../telemetry/spans.ts';

/** What the activities of all kinds of jobs have in their inputs. */
export interface ActivityInput {
  readonly job: string;
  readonly generation?: number | undefined;
  readonly lane?: number;
  readonly position?: number | null;
  readonly step?: string;
}

/** What is told of a job, as its spec has it. */
interface Told {
  readonly endpoint: string | null;
  readonly deployment: string | null;
  readonly trace?: JobTrace | undefined;
}

export type Observe = <T>(name: string, input: ActivityInput, work: () => Promise<T>) => Promise<T>;

/** Activities whose time is a metric too. */
const DURATIONS: Readonly<Record<string, DurationName>> = {
  planJob: 'batchpoint.plan.duration',
  scoreSlice: 'batchpoint.slice.duration',
  commitJob: 'batchpoint.commit.duration',
};

/** Looks at a job that has its own spans: every few seconds, and nothing to tell. */
const SILENT: readonly string[] = ['lookAtScoring'];

/** Jobs that this process remembers: their activities come again and again. */
const REMEMBERED = 1000;

/**
 * Runs activities as what they are a part of: each line of log names the job, and where telemetry goes somewhere each run is a span
 * below the job's, on whatever instance and however late. A retry and a later generation are spans of the same trace.
 */
export function observer(specOf: (job: string) => Promise<Told | undefined>, isOn: boolean): Observe {
  const known = new Map<string, Told>();

  const tellOf = async (job: string): Promise<Told | undefined> => {
    const before = known.get(job);
    if (before) return before;
    const spec = await specOf(job);
    if (!spec) return undefined;
    const { endpoint, deployment, trace } = spec;
    const told = { endpoint, deployment, trace };
    keepNewest(known, job, told, REMEMBERED);
    return told;
  };

  return async (name, input, work) => {
    const { job } = input;
    if (!isOn || SILENT.includes(name)) return inScope({ job }, work);
    const told = await tellOf(job);
    const scope: JobScope = { job, ...(told && { endpoint: told.endpoint, deployment: told.deployment }) };
    const begun = performance.now();
    const options = { attributes: attributesOf(input, told), below: belowJob(told?.trace) };
    const answer = await inScope(scope, () => inSpan(name, options, work));
    const duration = DURATIONS[name];
    if (duration) took(duration, performance.now() - begun, {}, scope);
    return answer;
  };
}

const attributesOf = ({ job, generation, lane, position, step }: ActivityInput, told: Told | undefined) => ({
  'batchpoint.job': job,
  'batchpoint.endpoint': told?.endpoint ?? undefined,
  'batchpoint.deployment': told?.deployment ?? undefined,
  'batchpoint.generation': generation,
  'batchpoint.lane': lane,
  'batchpoint.from': position ?? undefined,
  'batchpoint.step': step,
});
