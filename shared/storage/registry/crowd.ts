import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import { isEnded, type JobRecord } from '../../domain/job.ts';
import { allRows } from '../all-rows.ts';
import { changeRow } from '../change-row.ts';
import type { Table, TableKey } from '../ports.ts';
import { recentRows, type RecentRows } from '../recent-rows.ts';
import { removeIfThere } from '../remove-if-there.ts';
import type { Jobs } from './jobs-port.ts';
import { OPEN, openKey } from './open-jobs.ts';

const INSTANCES = 'instances';

/** An instance that asked within this time is there. */
const ALIVE_MS = 30_000;
/** One that did not ask for so long is forgotten: its process is gone, or its clock is far off. */
const FORGOTTEN_MS = 600_000;

const count = (value: unknown): number => z.number().default(0).parse(value);

/** Activities of a job that run or queue: its lanes while it is scored, one before and after. */
export const lanesOf = (record: JobRecord): number =>
  isEnded(record) ? 0 : record.state === 'scoring' ? record.lanes : 1;

/** Notes a job's lanes in its row among the open jobs: what is counted never outlives that row, which the sweeper removes. */
export const noteLanes = (table: Table, job: string, lanes: number, recent: RecentRows): Promise<void> =>
  changeRow(
    table,
    openKey(job),
    async (row) => (row && count(row.values['lanes']) !== lanes ? { ...row.values, lanes } : undefined),
    recent,
  );

/** Who uses the slots of the app. Each registry is an instance: there is one in a process. */
export function crowd(table: Table): Pick<Jobs, 'crowd'> {
  const own: TableKey = { partition: INSTANCES, row: randomUUID() };
  const recent = recentRows(1);
  return {
    async crowd(now) {
      await changeRow(table, own, async () => ({ at: now }), recent);
      let lanes = 0;
      for await (const { values } of allRows(table, OPEN)) lanes += count(values['lanes']);
      let instances = 0;
      for await (const row of allRows(table, INSTANCES)) {
        const silent = now - count(row.values['at']);
        if (silent < ALIVE_MS) instances++;
        else if (silent > FORGOTTEN_MS) await removeIfThere(table, row);
      }
      return { lanes, instances };
    },
  };
}
