import { z } from 'zod';
import { Reason } from '../../domain/job.ts';
import { changeRow } from '../change-row.ts';
import { insertOnce } from '../insert-once.ts';
import type { Table, TableKey, TableRow } from '../ports.ts';
import type { Documents } from './documents.ts';
import type { Jobs } from './jobs-port.ts';

/** One row says both why the whole job is to stop and which generations are over, so that slices look once. */
const stopKey = (job: string): TableKey => ({ partition: job, row: 'stop' });

/** One row for each part that was started: an insert is the cheapest conditional write, and it needs no read before it. */
const startedKey = (job: string, part: string): TableKey => ({ partition: job, row: `started-${part}` });

const numberIn = (row: TableRow | undefined, column: string): number =>
  z.number().default(0).parse(row?.values[column]);

const hasReason = (row: TableRow): boolean => 'document' in row.values || 'hash' in row.values;

/** The marks by which the parts of a job know of each other. */
export function jobMarks(
  table: Table,
  { pack, unpack }: Documents,
): Pick<Jobs, 'stop' | 'supersede' | 'stopped' | 'markStart' | 'markRestart' | 'unmark'> {
  return {
    stop: (name, reason) =>
      changeRow(table, stopKey(name), async (row) =>
        row && hasReason(row) ? undefined : { ...row?.values, ...(await pack(reason)) },
      ),

    supersede: (name, generation) =>
      changeRow(table, stopKey(name), async (row) =>
        numberIn(row, 'generation') >= generation ? undefined : { ...row?.values, generation },
      ),

    async stopped(name, generation = 1) {
      const row = await table.get(stopKey(name));
      if (!row) return undefined;
      if (hasReason(row)) return unpack(row, Reason);
      const current = numberIn(row, 'generation');
      return generation < current
        ? { code: 'Superseded', message: `The job goes on in its generation ${current}.` }
        : undefined;
    },

    markStart: (name, part) => insertOnce(table, startedKey(name, part), { starts: 1 }),

    async markRestart(name, part) {
      let starts = 1;
      await changeRow(table, startedKey(name, part), async (row) => {
        starts = numberIn(row, 'starts') + 1;
        return { starts };
      });
      return starts;
    },

    unmark: (name, part) =>
      changeRow(table, startedKey(name, part), async (row) => {
        const starts = numberIn(row, 'starts');
        return starts > 1 ? { starts: starts - 1 } : row && 'remove';
      }),
  };
}
