import { join } from 'node:path';
import { parse } from 'yaml';
import { z } from 'zod';
import { JobFault, messageOf } from '../domain/errors.ts';
import type { LoggedModel, MetricPoint, MetricValue, StepTracking, TrackedRun } from '../domain/step-tracking.ts';
import { filesBelow, foldersIn, lastText } from './plain-files.ts';

/**
 * Reads MLflow's store of files as mlflow 3 lays it out: `<experiment>/<run>/{meta.yaml,params,metrics,tags}`, and
 * `<experiment>/models/<id>/meta.yaml` for what `log_model` wrote. A key with slashes is a path.
 */

const MAX_RUNS = 200;
const MAX_NAMES = 2_000;
const MAX_TEXT = 16_384;
const MAX_HISTORY_BYTES = 262_144;

const RunMeta = z.object({
  run_id: z.string(),
  run_name: z.string().nullish(),
  start_time: z.number(),
  lifecycle_stage: z.string(),
});

const ModelMeta = z.object({ model_id: z.string(), name: z.string(), source_run_id: z.string().nullish() });

/** What a step told MLflow; nothing when it told nothing. Throws JobFault when the store cannot be read. */
export async function readRuns(store: string): Promise<StepTracking> {
  const runs: TrackedRun[] = [];
  const models: LoggedModel[] = [];
  for (const experiment of (await foldersIn(store)).filter((name) => !name.startsWith('.'))) {
    for (const name of await foldersIn(join(store, experiment))) {
      if (runs.length >= MAX_RUNS) break;
      const run = await readRun(join(store, experiment, name));
      if (run) runs.push(run);
    }
    const kept = join(store, experiment, 'models');
    for (const id of (await foldersIn(kept)).slice(0, MAX_RUNS)) {
      const meta = await readMeta(join(kept, id), ModelMeta);
      if (meta) models.push({ id: meta.model_id, name: meta.name, run: meta.source_run_id ?? null });
    }
  }
  return { runs: runs.sort((a, b) => a.startedAt - b.startedAt), models };
}

/** Reads a `meta.yaml`; undefined when there is none. Throws JobFault for one that is not as MLflow writes it. */
export async function readMeta<Schema extends z.ZodType>(
  folder: string,
  schema: Schema,
): Promise<z.infer<Schema> | undefined> {
  const text = await lastText(join(folder, 'meta.yaml'), MAX_TEXT);
  if (text === undefined) return undefined;
  try {
    return schema.parse(parse(text));
  } catch (error) {
    throw new JobFault('TrackingUnreadable', `What the step told MLflow cannot be read: ${messageOf(error)}`);
  }
}

/** Undefined for a folder that is no run, or one that was deleted. */
async function readRun(folder: string): Promise<TrackedRun | undefined> {
  // Beside runs lie `models`, `datasets` and `traces`, which have no meta.yaml themselves.
  const meta = await readMeta(folder, RunMeta);
  if (!meta || meta.lifecycle_stage !== 'active') return undefined;
  const tags = await readTexts(join(folder, 'tags'), MAX_TEXT);
  const histories = await readTexts(join(folder, 'metrics'), MAX_HISTORY_BYTES);
  return {
    id: meta.run_id,
    name: meta.run_name ?? tags['mlflow.runName'] ?? meta.run_id,
    parent: tags['mlflow.parentRunId'] ?? null,
    startedAt: meta.start_time,
    params: await readTexts(join(folder, 'params'), MAX_TEXT),
    tags,
    metrics: Object.fromEntries(Object.entries(histories).map(([name, text]) => [name, historyOf(text)])),
  };
}

/** Every file of a folder by its path. */
export async function readTexts(folder: string, atMost: number): Promise<Record<string, string>> {
  const texts: Record<string, string> = {};
  for (const path of await filesBelow(folder, MAX_NAMES))
    texts[path] = (await lastText(join(folder, path), atMost)) ?? '';
  return texts;
}

/** Lines of `<milliseconds> <value> <step>`, some of which mlflow writes twice; a line that was cut is left out. */
function historyOf(text: string): MetricPoint[] {
  const points = [...new Set(text.split('\n'))].flatMap((line) => {
    const [, at, value, step] = /^(\d+) (\S+) (-?\d+)(?: |$)/.exec(line) ?? [];
    const read = value === undefined ? undefined : metricValue(value);
    return read === undefined ? [] : [{ value: read, step: Number(step), at: Number(at) }];
  });
  return points.sort((a, b) => a.step - b.step || a.at - b.at);
}

/** Python writes `nan`, `inf` and `-inf`. */
function metricValue(text: string): MetricValue | undefined {
  const word = text.toLowerCase();
  if (word === 'nan') return 'NaN';
  if (word === 'inf' || word === '-inf') return word === 'inf' ? 'Infinity' : '-Infinity';
  const value = Number(text);
  return Number.isFinite(value) ? value : undefined;
}
