import { z } from 'zod';

/** What the code of a step told MLflow while it ran. */

/** JSON has no words for the numbers that training may give. */
export const MetricValue = z.union([z.number(), z.enum(['NaN', 'Infinity', '-Infinity'])]);
export type MetricValue = z.infer<typeof MetricValue>;

export const MetricPoint = z.object({
  value: MetricValue,
  step: z.number(),
  /** Milliseconds since 1970. */
  at: z.number(),
});
export type MetricPoint = z.infer<typeof MetricPoint>;

export const TrackedRun = z.object({
  id: z.string(),
  name: z.string(),
  /** The run that this one is nested in. */
  parent: z.string().nullable(),
  /** Milliseconds since 1970. */
  startedAt: z.number(),
  params: z.record(z.string(), z.string()),
  tags: z.record(z.string(), z.string()),
  /** The history of each metric, by step and then by time: the last point is its value. */
  metrics: z.record(z.string(), z.array(MetricPoint)),
});
export type TrackedRun = z.infer<typeof TrackedRun>;

/** A model that `log_model` wrote. Its files are kept only if it was registered too. */
export const LoggedModel = z.object({ id: z.string(), name: z.string(), run: z.string().nullable() });
export type LoggedModel = z.infer<typeof LoggedModel>;

export const StepTracking = z.object({
  /** In the order of their start. */
  runs: z.array(TrackedRun),
  models: z.array(LoggedModel),
});
export type StepTracking = z.infer<typeof StepTracking>;

export const NOTHING_TRACKED: StepTracking = { runs: [], models: [] };

/** The metrics and parameters of a step as a whole: a later run's win, and those of a nested run never over an outer one's. */
export function stepSummary({ runs }: StepTracking): {
  readonly params: Readonly<Record<string, string>>;
  readonly metrics: Readonly<Record<string, MetricValue>>;
} {
  const ranked = [...runs.filter(({ parent }) => parent !== null), ...runs.filter(({ parent }) => parent === null)];
  const params = Object.fromEntries(ranked.flatMap((run) => Object.entries(run.params)));
  const metrics: Record<string, MetricValue> = {};
  for (const run of ranked)
    for (const [name, history] of Object.entries(run.metrics)) {
      const last = history.at(-1);
      if (last !== undefined) metrics[name] = last.value;
    }
  return { params, metrics };
}
