import { JobEdits, NO_EDITS } from '../../domain/job-edits.ts';
import { changeRow } from '../change-row.ts';
import type { Table, TableKey } from '../ports.ts';
import type { Documents } from './documents.ts';
import { indexArchived, type IndexedSpec } from './job-index.ts';
import type { Jobs } from './jobs-port.ts';

const keyOf = (job: string): TableKey => ({ partition: job, row: 'edits' });

/** One row in the job's partition, made by its first edit; the index row repeats what lists filter by. */
export function jobEdits(
  table: Table,
  { pack, unpack }: Documents,
  specOf: (job: string) => Promise<IndexedSpec | undefined>,
): Pick<Jobs, 'edits' | 'edit'> {
  const edits = async (name: string): Promise<JobEdits> => {
    const row = await table.get(keyOf(name));
    return row ? unpack(row, JobEdits) : NO_EDITS;
  };

  return {
    edits,

    async edit(name, change) {
      const spec = await specOf(name);
      if (!spec) return;
      await changeRow(table, keyOf(name), async (row) => pack(change(row ? await unpack(row, JobEdits) : NO_EDITS)));
      await indexArchived(table, spec, async () => (await edits(name)).archived);
    },
  };
}
