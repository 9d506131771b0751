import { expect, it } from 'vitest';
import { memoryBlobs } from '../../../shared/storage/memory-blobs.ts';
import type { Blobs } from '../../../shared/storage/ports.ts';
import { listInput, type ListedPart } from '../../../shared/steps/list-input.ts';

const CONTAINER = 'data';
const nameOf = (file: number) => `in/f${file}.csv`;

/** A folder of so many files, and every name that its storage gave out since. */
async function folder(files: number) {
  const blobs = memoryBlobs();
  await blobs.ensureContainer(CONTAINER);
  for (let file = 0; file < files; file++)
    await blobs.write({ container: CONTAINER, name: nameOf(file) }, new Uint8Array(1));
  const listed: string[] = [];
  const noted: Blobs = {
    ...blobs,
    async listPage(...given) {
      const page = await blobs.listPage(...given);
      listed.push(...page.items.map(({ name }) => name));
      return page;
    },
  };
  const address = { datastore: 'store', container: CONTAINER, path: 'in' };
  const list = (part: Parameters<typeof listInput>[4]): Promise<ListedPart> =>
    listInput({ blobs: noted, limits: { files: 100 } }, 'UriFolder', address, true, part);
  return { list, listed };
}

const blobsOf = ({ files }: ListedPart) => files.map(({ blob }) => blob);

it.each([
  [3, [3]],
  [4, [3, 1]],
  [6, [3, 3]],
  [7, [3, 3, 1]],
])('a folder of %i files is listed in parts of three, each name once', async (files, sizes) => {
  const { list, listed } = await folder(files);
  const parts: ListedPart[] = [];
  for (let from: ListedPart['next'], more = true; more; more = from !== undefined) {
    const part = await list({ from, before: parts.length * 3, size: 3 });
    parts.push(part);
    from = part.next;
  }
  const names = [...Array(files).keys()].map(nameOf);
  expect(parts.map(({ files }) => files.length)).toEqual(sizes);
  expect(parts.flatMap(blobsOf)).toEqual(names);
  expect(listed).toEqual(names);
});

// As plans say where they end that were made when a page could be larger than its segment.
it('goes on behind a file that was far into a larger page', async () => {
  const { list } = await folder(9);
  const part = await list({ from: { blob: nameOf(6) }, before: 7, size: 3 });
  expect(blobsOf(part)).toEqual([nameOf(7), nameOf(8)]);
  expect(part.next).toBeUndefined();
});
