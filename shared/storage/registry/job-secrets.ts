import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto';
import { z } from 'zod';
import { changeRow } from '../change-row.ts';
import type { Table, TableKey } from '../ports.ts';

/** What a job needs and nobody may read: in the app's own table, sealed, under the job's name. */
export interface JobSecrets {
  /** The newest stands. */
  keep(job: string, name: string, text: string): Promise<void>;
  /** Undefined when there is none. Throws for one that was moved or changed. */
  read(job: string, name: string): Promise<string | undefined>;
}

const CIPHER = 'aes-256-gcm';
const IV_BYTES = 12;
const TAG_BYTES = 16;

const keyOf = (job: string, name: string): TableKey => ({ partition: job, row: `secret-${name}` });

/** Sealed with a key (AES-256-GCM) that is derived from `secret`, which has 32 bytes at least. */
export function jobSecrets(table: Table, secret: () => Promise<Uint8Array>): JobSecrets {
  const key = async (): Promise<Uint8Array> =>
    new Uint8Array(hkdfSync('sha256', await secret(), new Uint8Array(), 'batchpoint job secrets', 32));
  const context = ({ partition, row }: TableKey) => Buffer.from(`${partition}/${row}`);
  return {
    async keep(job, name, text) {
      const at = keyOf(job, name);
      const iv = randomBytes(IV_BYTES);
      const cipher = createCipheriv(CIPHER, await key(), iv).setAAD(context(at));
      const sealed = Buffer.concat([iv, cipher.update(text, 'utf8'), cipher.final(), cipher.getAuthTag()]);
      await changeRow(table, at, async () => ({ sealed: sealed.toString('base64') }));
    },
    async read(job, name) {
      const at = keyOf(job, name);
      const row = await table.get(at);
      if (!row) return undefined;
      const sealed = Buffer.from(z.string().parse(row.values['sealed']), 'base64');
      const decipher = createDecipheriv(CIPHER, await key(), sealed.subarray(0, IV_BYTES)).setAAD(context(at));
      decipher.setAuthTag(sealed.subarray(-TAG_BYTES));
      return decipher.update(sealed.subarray(IV_BYTES, -TAG_BYTES), undefined, 'utf8') + decipher.final('utf8');
    },
  };
}
