import { z } from 'zod';
import {
  isPipelineEnded,
  PipelineRecord,
  PipelineSpec,
  StepRecord,
  StepResult,
} from '../../domain/pipeline/pipeline-job.ts';
import { keepNewest } from '../../domain/keep-newest.ts';
import { mapBounded } from '../../domain/map-bounded.ts';
import { allRows } from '../all-rows.ts';
import { changeRow } from '../change-row.ts';
import { insertOnce } from '../insert-once.ts';
import { readJson, writeJsonOnce } from '../json-blobs.ts';
import type { Blobs, Table, TableKey, TableRow } from '../ports.ts';
import { recentRows } from '../recent-rows.ts';
import { documents } from './documents.ts';
import { jobEdits } from './job-edits.ts';
import { indexRows } from './job-index.ts';
import { pipelineRecordKey } from './job-records.ts';
import { JOBS_CONTAINER } from './jobs.ts';
import { openRow } from './open-jobs.ts';
import type { Pipelines } from './pipelines-port.ts';

const STEP = 'step-';

const stepKey = (job: string, index: number): TableKey => ({
  partition: job,
  row: `${STEP}${String(index).padStart(5, '0')}`,
});
const runKey = (run: string): TableKey => ({ partition: `run|${run}`, row: 'run' });
const resultKey = (hash: string): TableKey => ({ partition: `result|${hash}`, row: 'result' });
const specBlob = (name: string) => ({ container: JOBS_CONTAINER, name: `${name}/pipeline.json` });

/** Steps whose rows are made side by side. */
const STEPS_AT_ONCE = 16;

/** Specs kept in memory: every step of a job asks for its job's. */
const SPECS_IN_MEMORY = 16;

/** Rows of steps kept in memory: a step is changed three times, most often by one process. */
const STEPS_IN_MEMORY = 256;

/** Pipeline jobs over the table and blobs of the other jobs: one partition each, and a row for each child run's name. */
export function pipelinesRegistry({ table, blobs }: { readonly table: Table; readonly blobs: Blobs }): Pipelines {
  const docs = documents(blobs);
  const { pack, unpack } = docs;
  const specs = new Map<string, PipelineSpec>();
  const recent = recentRows(STEPS_IN_MEMORY);

  const spec = async (name: string): Promise<PipelineSpec | undefined> => {
    const known = specs.get(name);
    if (known) return known;
    const read = await readJson(blobs, specBlob(name), PipelineSpec);
    if (read) keepNewest(specs, name, read, SPECS_IN_MEMORY);
    return read;
  };

  const keyOfStep = async (name: string, path: string): Promise<TableKey> => {
    const index = (await spec(name))?.steps.findIndex((step) => step.path === path) ?? -1;
    if (index === -1) throw new Error(`pipeline ${name} has no step ${path}`);
    return stepKey(name, index);
  };

  const get: Pipelines['get'] = async (name) => {
    const row = await table.get(pipelineRecordKey(name));
    return row && { value: await unpack(row, PipelineRecord), etag: row.etag };
  };

  return {
    get,
    spec,

    async create(asked) {
      const { name, createdAt } = asked;
      const first = await writeJsonOnce(blobs, specBlob(name), asked);
      const stored = first ? asked : await spec(name);
      if (!stored) throw new Error(`the spec of pipeline ${name} is gone`);
      // Everything that leads to a job or a step is there before the record that makes the job.
      await insertOnce(table, ...openRow(stored));
      for (const { key, values } of indexRows({ kind: 'pipeline', spec: stored })) await insertOnce(table, key, values);
      await mapBounded([...stored.steps.entries()], STEPS_AT_ONCE, async ([index, { path, run }]) => {
        const waiting: StepRecord = { state: 'waiting', path, run, settled: [], owner: null };
        await insertOnce(table, stepKey(name, index), await pack(waiting));
        await insertOnce(table, runKey(run), { job: name, path });
      });
      const record: PipelineRecord = { state: 'accepted', name, createdAt, cancelRequested: false };
      const created = await insertOnce(table, pipelineRecordKey(name), await pack(record));
      if (created) return { created, spec: stored, record };
      const existing = await get(name);
      if (!existing) throw new Error(`the record of pipeline ${name} is gone`);
      return { created, spec: stored, record: existing.value };
    },

    async transition(name, next) {
      let stands: PipelineRecord | undefined;
      await changeRow(table, pipelineRecordKey(name), async (row) => {
        stands = row && (await unpack(row, PipelineRecord));
        const moved = stands && !isPipelineEnded(stands) ? next(stands) : undefined;
        if (!moved) return undefined;
        stands = moved;
        return pack(moved);
      });
      return stands;
    },

    async steps(name) {
      const found: StepRecord[] = [];
      for await (const row of allRows(table, name, { from: STEP, to: `${STEP}~` }))
        found.push(await unpack(row, StepRecord));
      return found;
    },

    async step(name, path) {
      const row = await table.get(await keyOfStep(name, path));
      if (!row) throw new Error(`step ${path} of pipeline ${name} is gone`);
      recent.note(row);
      return unpack(row, StepRecord);
    },

    async changeStep(name, path, next) {
      let stands: StepRecord | undefined;
      const change = async (row: TableRow | undefined) => {
        if (!row) throw new Error(`step ${path} of pipeline ${name} is gone`);
        const before = await unpack(row, StepRecord);
        const moved = next(before);
        stands = moved ?? before;
        return moved && moved !== before ? pack(moved) : undefined;
      };
      await changeRow(table, await keyOfStep(name, path), change, recent);
      if (!stands) throw new Error(`step ${path} of pipeline ${name} is gone`);
      return stands;
    },

    async stepOfRun(run) {
      const row = await table.get(runKey(run));
      return row && { job: z.string().parse(row.values['job']), path: z.string().parse(row.values['path']) };
    },

    async result(hash) {
      const row = await table.get(resultKey(hash));
      return row && unpack(row, StepResult);
    },

    keepResult: (hash, result) => changeRow(table, resultKey(hash), () => pack(result)),

    ...jobEdits(table, docs, spec),
  };
}
