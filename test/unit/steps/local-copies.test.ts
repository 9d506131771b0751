import { mkdtemp, readdir, readFile, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { localCopies, type Copied } from '../../../shared/steps/local-copies.ts';
import { memoryBlobs } from '../../../shared/storage/memory-blobs.ts';

let root: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'bp-copies-'));
});
afterEach(() => rm(root, { recursive: true, force: true }));

/** Copies one blob under a name that somebody else has chosen. */
const copied = (name: string, folder: string): Promise<Copied> => copiedAll([name], { folder });

/** Copies one blob under names that somebody else has chosen. */
async function copiedAll(
  names: readonly string[],
  { folder, content = 'caller', inMemory = false }: { folder: string; content?: string; inMemory?: boolean },
): Promise<Copied> {
  const blobs = memoryBlobs();
  await blobs.ensureContainer('data');
  const { etag } = await blobs.write({ container: 'data', name: 'blob' }, Buffer.from(content));
  const source = { blobs, container: 'data', signal: new AbortController().signal, inMemory };
  return localCopies(source, folder)(names.map((name) => ({ name, blob: 'blob', etag, length: content.length })));
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

describe('in memory', () => {
  it('lie their bytes, and nothing on the disk', async () => {
    const { here, failed } = await copiedAll(['a/b.txt', 'c.txt'], { folder: root, inMemory: true });
    const bytes = Buffer.from('caller');
    const expected = ['a/b.txt', 'c.txt'].map((name) => ({ name, path: join(root, name), bytes }));
    expect({ here, failed }).toEqual({ here: expected, failed: [] });
    expect(await readdir(root)).toEqual([]);
  });

  it('is neither a large file nor more than 8 MiB of small ones', async () => {
    const large = await copiedAll(['large'], { folder: root, content: 'x'.repeat(256 * 1024 + 1), inMemory: true });
    expect(large.here).toEqual([{ name: 'large', path: join(root, 'large') }]);
    const names = Array.from({ length: 33 }, (_, index) => `below/${index}`);
    const small = await copiedAll(names, { folder: root, content: 'x'.repeat(256 * 1024), inMemory: true });
    expect(small.here.map(({ bytes }) => bytes?.length)).toEqual([
      ...new Array<number>(32).fill(256 * 1024),
      undefined,
    ]);
    expect(await readdir(root, { recursive: true })).toEqual(expect.arrayContaining(['large', 'below', 'below/32']));
    expect(await readdir(join(root, 'below'))).toEqual(['32']);
  });

  it.each(['../a', 'a/', `${'x'.repeat(256)}.txt`, `${'ä'.repeat(128)}/a`])(
    'is none whose name cannot be that of a file: %j',
    async (name) => {
      const { here, failed } = await copiedAll([name], { folder: root, inMemory: true });
      expect({ here, codes: failed.map(({ fault }) => fault.code) }).toEqual({ here: [], codes: ['BadName'] });
    },
  );
});
