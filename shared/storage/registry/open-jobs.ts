import { z } from 'zod';
import type { JobSpec } from '../../domain/job.ts';
import { changeRow } from '../change-row.ts';
import type { Table, TableKey, TableValues } from '../ports.ts';
import type { RecentRows } from '../recent-rows.ts';
import type { Jobs } from './jobs-port.ts';

export const OPEN = 'open-jobs';
export const openKey = (job: string): TableKey => ({ partition: OPEN, row: job });

/** Every job from before its record is written until the sweeper has seen its end: what a sweep reads does not grow with age. */
export const openRow = ({ name, createdAt }: Pick<JobSpec, 'name' | 'createdAt'>): [TableKey, TableValues] => [
  openKey(name),
  { createdAt },
];

export function openJobs(table: Table, recent: RecentRows): Pick<Jobs, 'open' | 'close' | 'due'> {
  return {
    async open(limit, continuation) {
      const page = await table.query(OPEN, { limit, ...(continuation === undefined ? {} : { continuation }) });
      return {
        jobs: page.rows.map(({ row, values }) => ({ name: row, createdAt: z.string().parse(values['createdAt']) })),
        ...(page.continuation === undefined ? {} : { continuation: page.continuation }),
      };
    },
    async due(what, now, every) {
      let mine = false;
      await changeRow(table, { partition: 'due', row: what }, async (row) => {
        mine = now - z.number().default(0).parse(row?.values['at']) >= every;
        return mine ? { at: now } : undefined;
      });
      return mine;
    },
    close: (name) => changeRow(table, openKey(name), async (row) => row && 'remove', recent),
  };
}
