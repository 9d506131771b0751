import { LaneProgress } from '../../domain/job.ts';
import { allRows } from '../all-rows.ts';
import { changeRow } from '../change-row.ts';
import { insertOnce } from '../insert-once.ts';
import type { Table, TableRow, TableValues } from '../ports.ts';
import type { RecentRows } from '../recent-rows.ts';
import type { Documents } from './documents.ts';
import type { Jobs } from './jobs-port.ts';

const PROGRESS = 'progress-';

/** One row a lane in the job's partition. */
export function laneProgress(
  table: Table,
  { pack, unpack }: Documents,
  recent: RecentRows,
): Pick<Jobs, 'report' | 'progress'> {
  return {
    async report(name, progress) {
      const key = { partition: name, row: `${PROGRESS}${String(progress.lane).padStart(5, '0')}` };
      const change = async (row: TableRow | undefined): Promise<TableValues | undefined> => {
        if (!row) return pack(progress);
        const before = await unpack(row, LaneProgress);
        const merged = further(before, progress);
        return JSON.stringify(merged) === JSON.stringify(before) ? undefined : pack(merged);
      };
      // The first report of a lane finds no row.
      const first = recent.of(key) === undefined && (await insertOnce(table, key, await pack(progress), recent));
      if (!first) await changeRow(table, key, change, recent);
    },

    async progress(name) {
      const lanes: LaneProgress[] = [];
      for await (const row of allRows(table, name, { from: PROGRESS, to: `${PROGRESS}~` }))
        lanes.push(await unpack(row, LaneProgress));
      return lanes;
    },
  };
}

function further(before: LaneProgress, now: LaneProgress): LaneProgress {
  return {
    ...before,
    ...(now.position > before.position ? now : {}),
    updatedAt: now.updatedAt > before.updatedAt ? now.updatedAt : before.updatedAt,
    firstRowAt: before.firstRowAt ?? now.firstRowAt,
    ...furtherReceipt(before, now),
  };
}

function furtherReceipt(before: LaneProgress, now: LaneProgress): Pick<LaneProgress, 'receipt'> {
  const receipt = (now.receipt?.to ?? -1) > (before.receipt?.to ?? -1) ? now.receipt : before.receipt;
  return receipt === undefined ? {} : { receipt };
}
