import { describe, expect, it } from 'vitest';
import { memoryTables } from '../../shared/storage/memory-tables.ts';
import { localWrapping } from '../../shared/storage/sealing/local-wrapping.ts';
import { SealedText } from '../../shared/storage/sealing/sealed-text.ts';
import { jobSecrets } from '../../shared/storage/registry/job-secrets.ts';

const key = (fill: number) => localWrapping(() => Promise.resolve(new Uint8Array(32).fill(fill)));

describe('a secret of a job', () => {
  it('is read under its job and name, the newest one', async () => {
    const secrets = jobSecrets(memoryTables()('things'), key(1));
    await secrets.keep('job', 'input', 'first');
    await secrets.keep('job', 'input', 'geheim ü');
    expect(await secrets.read('job', 'input')).toBe('geheim ü');
    expect(await secrets.read('job', 'output')).toBeUndefined();
  });

  it('is opened neither with another key nor in another place nor after a change', async () => {
    const table = memoryTables()('things');
    const secrets = jobSecrets(table, key(1));
    await secrets.keep('job', 'input', 'geheim');
    await expect(jobSecrets(table, key(2)).read('job', 'input')).rejects.toThrow();
    const row = await table.get({ partition: 'job', row: 'secret-input' });
    if (!row) throw new Error('no row');
    expect(JSON.stringify(row)).not.toContain('geheim');
    await table.insert({ partition: 'other', row: 'secret-input' }, row.values);
    await expect(secrets.read('other', 'input')).rejects.toThrow();
    const sealed = SealedText.parse(JSON.parse(String(row.values['sealed'])));
    const data = Buffer.from(sealed.data, 'base64');
    data[0] = (data[0] ?? 0) ^ 1;
    await table.replace(row, { sealed: JSON.stringify({ ...sealed, data: data.toString('base64') }) }, row.etag);
    await expect(secrets.read('job', 'input')).rejects.toThrow();
  });
});
