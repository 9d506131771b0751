import { expect, it } from 'vitest';
import { memoryBlobs } from '../../../shared/storage/memory-blobs.ts';
import { collect } from '../../../shared/storage/json-blobs.ts';
import { jobWorld } from '../../support/job-world.ts';

const STORED = {
  description: null,
  tags: {},
  properties: {},
  createdAt: '2026-02-03T04:05:06.000Z',
  createdBy: 'o',
  modifiedAt: '2026-02-03T04:05:06.000Z',
};
const MADE = { name: 'made', ...STORED, place: { account: 'account', container: 'further' } };

/** A world in which the container `further` of the known account may be a datastore. */
async function furtherWorld() {
  const blobs = memoryBlobs();
  await blobs.ensureContainer('further');
  const endpoint = 'https://account.blob.core.windows.net';
  const world = jobWorld({ open: (name, place) => ({ address: { name, ...place, endpoint }, blobs }) });
  const { registry, datastores } = world.deps;
  return { world, blobs, records: registry.datastores, datastores };
}

const IN = { name: 'in', kind: 'UriFolder', mode: 'ReadOnlyMount', description: null } as const;
const OUT = { name: 'out', kind: 'UriFile', mode: 'ReadWriteMount', description: null } as const;
const uri = (path: string) => `azureml://datastores/made/paths/${path}`;

it('a job reads and writes a datastore that a request made', async () => {
  const { world, blobs, records } = await furtherWorld();
  await records.create(MADE);
  await blobs.write({ container: 'further', name: 'in/a.csv' }, new TextEncoder().encode('v\n'));
  await world.accept('j', {}, { input: { ...IN, uri: uri('in/') }, output: { ...OUT, uri: uri('out/p.csv') } });
  expect(await world.run('j')).toMatchObject({ state: 'completed', outputUri: uri('out/p.csv') });
  const written = await blobs.read({ container: 'further', name: 'out/p.csv' });
  expect(written && new TextDecoder().decode(await collect(written.body))).toBe('file,row,value\na.csv,0,v\n');
});

it('a job whose datastore is gone when it is planned has failed, and says so', async () => {
  const { world, records, datastores } = await furtherWorld();
  const made = await records.create(MADE);
  await world.accept('j', {}, { output: { ...OUT, uri: uri('out/p.csv') } });
  await datastores.list();
  await records.remove(MADE, made?.etag ?? '');
  datastores.changed();
  const record = await world.run('j');
  expect(record.state === 'failed' && record.reason.message).toContain('does not lie in a datastore');
});
