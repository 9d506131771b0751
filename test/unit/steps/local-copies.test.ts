import { mkdtemp, readdir, readFile, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { localCopies, type Copied } from '../../../shared/steps/local-copies.ts';
import { memoryBlobs } from '../../../shared/storage/memory-blobs.ts';

let root: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'bp-copies-'));
});
afterEach(() => rm(root, { recursive: true, force: true }));

/** Copies one blob under a name that somebody else has chosen. */
async function copied(name: string, folder: string): Promise<Copied> {
  const blobs = memoryBlobs();
  await blobs.ensureContainer('data');
  const { etag } = await blobs.write({ container: 'data', name: 'blob' }, Buffer.from('caller'));
  const source = { blobs, container: 'data', signal: new AbortController().signal };
  return localCopies(source, folder)([{ name, blob: 'blob', etag, length: 6 }]);
}

it('lie below their folder under their own names', async () => {
  expect(await copied('a/b.txt', root)).toEqual({
    here: [{ name: 'a/b.txt', path: join(root, 'a/b.txt') }],
    failed: [],
  });
  expect(await readFile(join(root, 'a/b.txt'), 'utf8')).toBe('caller');
});

it.each(['../a', 'a/../b', 'a/../../b', '/etc/cron.d/a', 'a//b', './a', 'a/', '..', '', 'a\\..\\b', 'a\u0000', 'a\nb'])(
  'are not made for the name %j',
  async (name) => {
    const { here, failed } = await copied(name, root);
    expect(here).toEqual([]);
    expect(failed.map(({ fault }) => fault.code)).toEqual(['BadName']);
    expect(await readdir(root, { recursive: true })).toEqual([]);
  },
);

it('are not written through a link that is there already', async () => {
  const target = join(root, 'target');
  await symlink(target, join(root, 'a.txt'));
  const { here, failed } = await copied('a.txt', root);
  expect({ here, codes: failed.map(({ fault }) => fault.code) }).toEqual({ here: [], codes: ['BadName'] });
  expect(await readdir(root)).toEqual(['a.txt']);
});
