import { mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { ModelFault } from '../../../shared/scoring/engine.ts';
import { localFolders, type FolderSource, type LocalFolders } from '../../../shared/scoring/local-folders.ts';

let root: string;
let opened: LocalFolders[];
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'bp-'));
  opened = [];
});
afterEach(async () => {
  await Promise.all(opened.map((folders) => folders.close()));
  await rm(root, { recursive: true, force: true });
});

function open(maxBytes = 1000): LocalFolders {
  const folders = localFolders({ root, maxBytes });
  opened.push(folders);
  return folders;
}

/** A source of text files that writes down what is read of it. */
function source(key: string, files: Readonly<Record<string, string>>): FolderSource & { reads: string[] } {
  const reads: string[] = [];
  return {
    key,
    files: Object.entries(files).map(([path, text]) => ({ path, length: Buffer.byteLength(text) })),
    reads,
    async read(path) {
      reads.push(path);
      return bytesOf(files[path] ?? '');
    },
  };
}

/** One byte at a time, as slowly as storage can be. */
async function* bytesOf(text: string): AsyncGenerator<Uint8Array> {
  for (const byte of Buffer.from(text)) {
    await Promise.resolve();
    yield Uint8Array.of(byte);
  }
}

/** Every file below a folder, with its text. */
async function tree(folder: string): Promise<Record<string, string>> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  const texts = await Promise.all(
    files.map(async (file) => [file.slice(folder.length + 1), await readFile(file, 'utf8')] as const),
  );
  return Object.fromEntries(texts);
}

/** Copies that lie on the disk, finished or not, below the folder of a lease's process. */
const copies = async (path: string): Promise<string[]> => (await readdir(dirname(path))).sort();

describe('localFolders', () => {
  test('copies the files of a source, in their folders, read-only', async () => {
    const files = { 'model/MLmodel': 'flavors', 'model/data/model.pkl': 'pickle', 'empty.txt': '' };
    const lease = await open().lease(source('model:1', files));
    expect(await tree(lease.path)).toEqual(files);
    expect((await stat(join(lease.path, 'model/data/model.pkl'))).mode & 0o777).toBe(0o444);
  });

  test('a source without files is an empty folder', async () => {
    expect(await tree((await open().lease(source('model:1', {}))).path)).toEqual({});
  });

  test('copies once, however many ask at once and later', async () => {
    const folders = open();
    const model = source('model:1', { 'a.txt': 'a', 'b.txt': 'b' });
    const leases = await Promise.all(Array.from({ length: 10 }, () => folders.lease(model)));
    leases.push(await folders.lease(model));
    expect(new Set(leases.map(({ path }) => path)).size).toBe(1);
    expect(model.reads.sort()).toEqual(['a.txt', 'b.txt']);
  });

  test('another key is another folder, with names that say nothing of the key', async () => {
    const folders = open();
    const [one, two] = await Promise.all([
      folders.lease(source('../../etc', { 'm.txt': '1' })),
      folders.lease(source('model:2', { 'm.txt': '2' })),
    ]);
    expect([await tree(one.path), await tree(two.path)]).toEqual([{ 'm.txt': '1' }, { 'm.txt': '2' }]);
    expect(await copies(one.path)).toEqual([expect.stringMatching(/^[0-9a-f]{32}-\d$/), expect.anything()]);
  });

  test('a failed copy is told to all who asked, leaves nothing, and is tried again', async () => {
    const folders = open();
    const other = await folders.lease(source('other', {}));
    const good = source('model:1', { 'a.txt': 'a', 'b.txt': 'b' });
    const fault = new Error('storage is away');
    const bad = { ...good, read: async (path: string) => (path === 'b.txt' ? broken(fault) : good.read(path)) };
    const answers = await Promise.allSettled([folders.lease(bad), folders.lease(bad)]);
    expect(answers).toEqual([
      { status: 'rejected', reason: fault },
      { status: 'rejected', reason: fault },
    ]);
    expect(await copies(other.path)).toHaveLength(1);
    expect(await tree((await folders.lease(good)).path)).toEqual({ 'a.txt': 'a', 'b.txt': 'b' });
  });

  test.each([
    ['more', 'abcd', 'a.txt has more than its 3 bytes.'],
    ['fewer', 'ab', 'a.txt has 2 of its 3 bytes.'],
  ])('refuses a file with %s bytes than were promised', async (_case, text, reason) => {
    const short = { key: 'm', files: [{ path: 'a.txt', length: 3 }], read: async () => bytesOf(text) };
    await expect(open().lease(short)).rejects.toThrow(reason);
  });

  test.each(['/etc/passwd', '../a', 'a/../../b', 'a/./b', 'a//b', 'a/', '', '.', '..', 'a\\..\\b', 'a\u0000b', 'a\nb'])(
    'refuses the path %j before it reads anything',
    async (path) => {
      const model = source('m', { 'good.txt': 'x', [path]: 'x' });
      await expect(open().lease(model)).rejects.toThrow(
        new ModelFault(`The file name ${JSON.stringify(path)} does not lie below its folder.`),
      );
      expect(model.reads).toEqual([]);
    },
  );

  test('refuses two files of one path, and a file that is also a folder', async () => {
    const twice = { ...source('m', { a: 'x' }), files: ['a', 'a'].map((path) => ({ path, length: 1 })) };
    await expect(open().lease(twice)).rejects.toThrow('There are two files "a".');
    const both = source('n', { 'a/b/c.txt': 'x', 'a/b': 'x' });
    await expect(open().lease(both)).rejects.toThrow('"a/b" is a file and a folder.');
  });

  test('refuses more files than a disk should hold', async () => {
    const files = Array.from({ length: 100_001 }, (_, index) => ({ path: `${index}`, length: 0 }));
    await expect(open().lease({ ...source('m', {}), files })).rejects.toThrow('There are 100001 files; at most 100000');
  });

  test('removes the least recently used copies above the limit, and copies again what is asked for again', async () => {
    const folders = open(20);
    const [a, b, c] = [
      source('a', { 'm.txt': '0123456789' }),
      source('b', { 'm.txt': '0123456789' }),
      source('c', { 'm.txt': '0123456789' }),
    ];
    const first = await folders.lease(a);
    first.release();
    (await folders.lease(b)).release();
    (await folders.lease(a)).release();
    const third = await folders.lease(c);
    expect(await copies(third.path)).toHaveLength(2);
    expect((await folders.lease(a)).path).toBe(first.path);
    expect(await tree((await folders.lease(b)).path)).toEqual({ 'm.txt': '0123456789' });
    expect([a.reads.length, b.reads.length, c.reads.length]).toEqual([1, 2, 1]);
  });

  test('leased copies may exceed the limit until they are released, and only then go', async () => {
    const folders = open(5);
    const [big, small] = [source('big', { 'm.txt': '0123456789' }), source('small', { 'm.txt': '01' })];
    const [one, again, two] = [await folders.lease(big), await folders.lease(big), await folders.lease(small)];
    one.release();
    one.release();
    expect(await tree(again.path)).toEqual({ 'm.txt': '0123456789' });
    again.release();
    const three = await folders.lease(source('third', {}));
    expect(await copies(three.path)).toHaveLength(2);
    expect(await tree(two.path)).toEqual({ 'm.txt': '01' });
  });

  test('two caches of one root do not see each other', async () => {
    const [one, two] = [await open().lease(source('m', { a: '1' })), await open().lease(source('m', { a: '2' }))];
    expect([await tree(one.path), await tree(two.path)]).toEqual([{ a: '1' }, { a: '2' }]);
  });

  test('close removes everything and waits for what is under way; then nothing can be leased', async () => {
    const folders = open();
    const kept = await folders.lease(source('a', { a: '1' }));
    const underWay = folders.lease(source('b', { b: '1'.repeat(50) }));
    await folders.close();
    await expect(stat(dirname(kept.path))).rejects.toThrow('ENOENT');
    (await underWay).release();
    await expect(folders.lease(source('a', { a: '1' }))).rejects.toThrow('The local folders are closed.');
  });
});

async function* broken(fault: Error): AsyncGenerator<Uint8Array> {
  throw fault;
}
