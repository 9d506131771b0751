import { isEnded, JobRecord, JobSpec } from '../../domain/job.ts';
import type { Blobs, Table, TableRow, TableValues } from '../ports.ts';
import { insertOnce } from '../insert-once.ts';
import { isConflict } from '../ports.ts';
import { readJson, writeJsonOnce } from '../json-blobs.ts';
import { crowd, lanesOf, noteLanes } from './crowd.ts';
import { changeRow } from '../change-row.ts';
import { documents } from './documents.ts';
import { jobEdits } from './job-edits.ts';
import { indexRows, listIndex } from './job-index.ts';
import { jobMarks } from './job-marks.ts';
import { jobMemory, type JobMemory } from './job-memory.ts';
import type { Jobs, Versioned } from './jobs-port.ts';
import { laneProgress } from './lane-progress.ts';
import { openJobs, openRow } from './open-jobs.ts';
import { jobPlaces } from './job-places.ts';
import { isJobOver, scoringRecordKey } from './job-records.ts';
import { reservations } from './reservations.ts';

/** The app's own container for job specs, manifests and receipts; no caller can address it. */
export const JOBS_CONTAINER = 'batchpoint-jobs';

export interface JobsDeps {
  /** One partition per job: its record, stop mark and progress; plus the index partitions and the reservations. */
  readonly table: Table;
  readonly blobs: Blobs;
  /** One for all registries of a process over the same storage. */
  readonly memory?: JobMemory;
}

const specBlob = (name: string) => ({ container: JOBS_CONTAINER, name: `${name}/spec.json` });

/**
 * Jobs over one table and the app's own blobs. A job's index rows are written before its record, so that no job is ever
 * invisible; index rows without a record are left out when read (S3.4).
 */
export function jobsRegistry({ table, blobs, memory = jobMemory() }: JobsDeps): Jobs {
  const docs = documents(blobs);
  const { pack, unpack } = docs;
  const { rows } = memory;

  const get = async (name: string): Promise<Versioned<JobRecord> | undefined> => {
    const row = await table.get(scoringRecordKey(name));
    if (row) rows.note(row);
    return row && { value: await unpack(row, JobRecord), etag: row.etag };
  };

  const readSpec = async (name: string): Promise<JobSpec | undefined> => {
    const known = memory.spec(name);
    if (known) return known;
    const spec = await readJson(blobs, specBlob(name), JobSpec);
    if (spec) memory.noteSpec(spec);
    return spec;
  };

  return {
    get,
    spec: readSpec,

    async create(spec) {
      // The first writer's spec stands: everything below is made from what is stored.
      const first = await writeJsonOnce(blobs, specBlob(spec.name), spec);
      const stored = first ? spec : await readSpec(spec.name);
      if (!stored) throw new Error(`the spec of job ${spec.name} is gone`);
      if (first) memory.noteSpec(spec);
      const [open, values] = openRow(stored);
      await Promise.all([
        insertOnce(table, open, { ...values, lanes: 1 }, rows),
        ...indexRows({ kind: 'scoring', spec: stored }).map((row) => insertOnce(table, row.key, row.values)),
      ]);
      const record: JobRecord = {
        state: 'accepted',
        name: stored.name,
        endpoint: stored.endpoint,
        deployment: stored.deployment,
        createdAt: stored.createdAt,
        cancelRequested: false,
      };
      const created = await insertOnce(table, scoringRecordKey(spec.name), { document: JSON.stringify(record) }, rows);
      if (created) return { created: true, spec: stored, record };
      const existing = await get(spec.name);
      if (!existing) throw new Error(`the record of job ${spec.name} is gone`);
      return { created: false, spec: stored, record: existing.value };
    },

    async transition(name, next) {
      const seen: { before?: JobRecord | undefined; moved?: JobRecord | undefined } = {};
      const change = async (row: TableRow | undefined): Promise<TableValues | undefined> => {
        seen.before = row && (await unpack(row, JobRecord));
        seen.moved = seen.before && !isEnded(seen.before) ? next(seen.before) : undefined;
        return seen.moved && pack(seen.moved);
      };
      await changeRow(table, scoringRecordKey(name), change, rows);
      const { before, moved } = seen;
      if (!before || !moved) return before;
      const [had, has] = [lanesOf(before), lanesOf(moved)];
      // The row of a job that ends goes soon: one lane more until then is not worth a write.
      if (had !== has && had + has > 1) await noteLanes(table, name, has, rows);
      return moved;
    },

    list: (filter, limit, continuation) => listIndex(table, filter, limit, continuation),

    async amend(name, change) {
      for (;;) {
        const found = await get(name);
        if (found?.value.state !== 'failed' && found?.value.state !== 'canceled') return undefined;
        const changed = change(found.value);
        try {
          await table.replace(scoringRecordKey(name), await pack(changed), found.etag);
          return changed;
        } catch (error) {
          if (!isConflict(error)) throw error;
        }
      }
    },

    ...crowd(table),
    ...jobEdits(table, docs, readSpec),
    ...openJobs(table, rows),
    ...jobMarks(table, docs),
    ...laneProgress(table, docs, rows),
    ...jobPlaces(table, (name) => isJobOver(table, docs, name), rows),
    ...reservations(table, (name) => isJobOver(table, docs, name), rows),
  };
}
