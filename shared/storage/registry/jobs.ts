import { z } from 'zod';
import { sha256 } from '../../domain/blocks.ts';
import { isEnded, JobRecord, JobSpec, LaneProgress, Reason } from '../../domain/job.ts';
import type { Blobs, Table, TableKey } from '../ports.ts';
import { isConflict } from '../ports.ts';
import { allRows } from '../all-rows.ts';
import { readJson, writeJsonOnce } from '../json-blobs.ts';
import { documents } from './documents.ts';
import { insertOnce } from '../insert-once.ts';
import { indexRow, listIndex } from './job-index.ts';
import type { Jobs, Versioned } from './jobs-port.ts';

/** The app's own container for job specs, manifests and receipts; no caller can address it. */
export const JOBS_CONTAINER = 'batchpoint-jobs';

export interface JobsDeps {
  /** One partition per job: its record, stop mark and progress; plus the index partitions and the reservations. */
  readonly table: Table;
  readonly blobs: Blobs;
}

const STOP = 'stop';
const RECORD = 'job';
const PROGRESS = 'progress-';

const specBlob = (name: string) => ({ container: JOBS_CONTAINER, name: `${name}/spec.json` });

/**
 * Jobs over one table and the app's own blobs. A job's index row is written before its record, so that no job is ever
 * invisible; index rows without a record are left out when read (S3.4).
 */
export function jobsRegistry({ table, blobs }: JobsDeps): Jobs {
  const { pack, unpack } = documents(blobs);

  const get = async (name: string): Promise<Versioned<JobRecord> | undefined> => {
    const row = await table.get({ partition: name, row: RECORD });
    return row && { value: await unpack(row, JobRecord), etag: row.etag };
  };

  const readSpec = (name: string): Promise<JobSpec | undefined> => readJson(blobs, specBlob(name), JobSpec);

  const holder = async (key: TableKey) => {
    const row = await table.get(key);
    return row && { job: z.string().parse(row.values['job']), etag: row.etag };
  };

  return {
    get,
    spec: readSpec,

    async create(spec) {
      // The first writer's spec stands: everything below is made from what is stored.
      const first = await writeJsonOnce(blobs, specBlob(spec.name), spec);
      const stored = first ? spec : await readSpec(spec.name);
      if (!stored) throw new Error(`the spec of job ${spec.name} is gone`);
      await insertOnce(table, indexRow(stored).key, indexRow(stored).values);
      const record: JobRecord = {
        state: 'accepted',
        name: stored.name,
        endpoint: stored.endpoint,
        deployment: stored.deployment,
        createdAt: stored.createdAt,
        cancelRequested: false,
      };
      const created = await insertOnce(
        table,
        { partition: spec.name, row: RECORD },
        { document: JSON.stringify(record) },
      );
      if (created) return { created: true, spec: stored, record };
      const existing = await get(spec.name);
      if (!existing) throw new Error(`the record of job ${spec.name} is gone`);
      return { created: false, spec: stored, record: existing.value };
    },

    async transition(name, next) {
      for (;;) {
        const found = await get(name);
        if (!found) return undefined;
        const moved = isEnded(found.value) ? undefined : next(found.value);
        if (!moved) return found.value;
        try {
          await table.replace({ partition: name, row: RECORD }, await pack(moved), found.etag);
          return moved;
        } catch (error) {
          if (!isConflict(error)) throw error;
        }
      }
    },

    list: (filter, limit, continuation) => listIndex(table, filter, limit, continuation),

    async stop(name, reason) {
      await insertOnce(table, { partition: name, row: STOP }, await pack(reason));
    },

    async stopped(name) {
      const row = await table.get({ partition: name, row: STOP });
      return row && unpack(row, Reason);
    },

    async report(name, progress) {
      const key = { partition: name, row: `${PROGRESS}${String(progress.lane).padStart(5, '0')}` };
      for (;;) {
        const row = await table.get(key);
        const before = row && (await unpack(row, LaneProgress));
        if (before && before.position >= progress.position) return;
        const merged = { ...progress, firstRowAt: before?.firstRowAt ?? progress.firstRowAt };
        try {
          if (row) await table.replace(key, await pack(merged), row.etag);
          else await table.insert(key, await pack(merged));
          return;
        } catch (error) {
          if (!isConflict(error)) throw error;
        }
      }
    },

    async progress(name) {
      const lanes: LaneProgress[] = [];
      for await (const row of allRows(table, name, { from: PROGRESS, to: `${PROGRESS}~` }))
        lanes.push(await unpack(row, LaneProgress));
      return lanes;
    },

    async reserve(address, name) {
      const key = reservation(address);
      for (;;) {
        if (await insertOnce(table, key, { job: name })) return name;
        const held = await holder(key);
        if (!held) continue;
        if (held.job === name) return name;
        const other = await get(held.job);
        if (other && !isEnded(other.value)) return held.job;
        try {
          await table.replace(key, { job: name }, held.etag);
          return name;
        } catch (error) {
          if (!isConflict(error)) throw error;
        }
      }
    },

    async release(address, name) {
      const key = reservation(address);
      const held = await holder(key);
      if (held?.job === name) await table.remove(key, held.etag);
    },
  };
}

/** Addresses are free text, so the key is their hash (S3.1). */
const reservation = (address: string) => ({ partition: 'output', row: sha256(address) });
