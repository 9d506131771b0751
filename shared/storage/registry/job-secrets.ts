import { z } from 'zod';
import { changeRow } from '../change-row.ts';
import type { Table, TableKey } from '../ports.ts';
import type { KeyWrapping } from '../sealing/key-wrapping.ts';
import { seal, SealedText, unseal } from '../sealing/sealed-text.ts';

/** What a job needs and nobody may read: in the app's own table, sealed, under the job's name. */
export interface JobSecrets {
  /** The newest stands. */
  keep(job: string, name: string, text: string): Promise<void>;
  /** Undefined when there is none. Throws for one that was moved or changed. */
  read(job: string, name: string): Promise<string | undefined>;
}

const keyOf = (job: string, name: string): TableKey => ({ partition: job, row: `secret-${name}` });
const contextOf = ({ partition, row }: TableKey): string => `${partition}/${row}`;

export function jobSecrets(table: Table, wrapping: KeyWrapping): JobSecrets {
  return {
    async keep(job, name, text) {
      const at = keyOf(job, name);
      const sealed = JSON.stringify(await seal(wrapping, text, contextOf(at)));
      await changeRow(table, at, async () => ({ sealed }));
    },
    async read(job, name) {
      const at = keyOf(job, name);
      const row = await table.get(at);
      if (!row) return undefined;
      const sealed = SealedText.parse(JSON.parse(z.string().parse(row.values['sealed'])));
      return unseal(wrapping, sealed, contextOf(at));
    },
  };
}
