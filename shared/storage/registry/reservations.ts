import { z } from 'zod';
import { sha256 } from '../../domain/blocks.ts';
import { changeRow } from '../change-row.ts';
import { insertOnce } from '../insert-once.ts';
import { isConflict, type Table, type TableKey } from '../ports.ts';
import type { RecentRows } from '../recent-rows.ts';
import type { Jobs } from './jobs-port.ts';

/** Addresses are free text, so the key is their hash (S3.1). */
const keyOf = (address: string): TableKey => ({ partition: 'output', row: sha256(address) });

/** Output addresses and the jobs that hold them; `isOver` tells whether a holder has ended. */
export function reservations(
  table: Table,
  isOver: (job: string) => Promise<boolean>,
  recent: RecentRows,
): Pick<Jobs, 'reserve' | 'release'> {
  const holder = async (key: TableKey) => {
    const row = await table.get(key);
    return row && { job: z.string().parse(row.values['job']), etag: row.etag };
  };
  return {
    async reserve(address, name) {
      const key = keyOf(address);
      for (;;) {
        if (await insertOnce(table, key, { job: name }, recent)) return name;
        const held = await holder(key);
        if (!held) continue;
        if (held.job === name) return name;
        if (!(await isOver(held.job))) return held.job;
        try {
          await table.replace(key, { job: name }, held.etag);
          return name;
        } catch (error) {
          if (!isConflict(error)) throw error;
        }
      }
    },

    release: (address, name) =>
      changeRow(table, keyOf(address), async (row) => (row?.values['job'] === name ? 'remove' : undefined), recent),
  };
}
