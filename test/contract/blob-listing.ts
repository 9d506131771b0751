import { beforeAll, describe, expect, it } from 'vitest';
import type { Blobs, ListOptions } from '../../shared/storage/ports.ts';
import { gather } from '../support/gather.ts';

const CONTAINER = 'listing';
const NAMES = [
  'data/2024/a.csv',
  'data/2024/b.csv',
  'data/A.csv',
  'data/a b%20.csv',
  'data/a.csv',
  'data/ä.csv',
  'data/日本.csv',
  'data/🚀.csv',
  'data2/x.csv',
  'database.csv',
  'empty/',
  'empty/real.csv',
];

/** Listing, a part of the blobs contract. */
export function blobListingContract(blobsOf: () => Blobs): void {
  describe('listing', () => {
    const names = async (container: string, options?: ListOptions): Promise<string[]> =>
      (await gather(blobsOf().list(container, options))).map(({ name }) => name);

    beforeAll(async () => {
      const blobs = blobsOf();
      await blobs.ensureContainer(CONTAINER);
      await blobs.ensureContainer('listing-none');
      await blobs.ensureContainer('listing-one');
      await blobs.write({ container: 'listing-one', name: 'only' }, new Uint8Array(3), {
        metadata: { kind: 'single' },
      });
      for (const name of [...NAMES].reverse()) {
        const metadata = name.endsWith('/') ? { hdi_isfolder: 'true' } : {};
        await blobs.write({ container: CONTAINER, name }, new Uint8Array(name.endsWith('/') ? 0 : 1), { metadata });
      }
      await blobs.stageBlock({ container: CONTAINER, name: 'data/staged' }, 'YQ==', new Uint8Array(1));
    });

    it.each(['nowhere', 'listing-none'])('finds nothing in %s', async (container) => {
      expect(await names(container)).toEqual([]);
      expect(await names(container, { delimiter: '/' })).toEqual([]);
    });

    it('finds one blob with everything that a plan needs', async () => {
      const head = await blobsOf().head({ container: 'listing-one', name: 'only' });
      const expected = {
        ...head,
        name: 'only',
        length: 3,
        metadata: { kind: 'single' },
        accessTier: 'Hot',
        blobType: 'BlockBlob',
      };
      expect(await gather(blobsOf().list('listing-one'))).toEqual([expected]);
      expect(await gather(blobsOf().list('listing-one', { delimiter: '/' }))).toEqual([expected]);
    });

    it('gives an ETag that pins a later read', async () => {
      const [item] = await gather(blobsOf().list('listing-one'));
      const found = await blobsOf().read({ container: 'listing-one', name: 'only' }, { ifMatch: item?.etag ?? '' });
      expect(found).toMatchObject({ length: 3, etag: item?.etag });
    });

    it.each([1, 5, 12, 13, undefined])('gives all names in byte order, by pages of %s', async (pageSize) => {
      expect(await names(CONTAINER, { ...(pageSize && { pageSize }) })).toEqual(NAMES);
    });

    it('goes on from the end of any page, also of one that somebody else has read, by what is there then', async () => {
      const container = 'listing-pages';
      const blobs = blobsOf();
      const put = (name: string) => blobs.write({ container, name }, new Uint8Array(1));
      await blobs.ensureContainer(container);
      for (const name of ['in/a', 'in/b', 'in/c', 'in/d', 'other']) await put(name);
      const options = { prefix: 'in/', pageSize: 2 };
      const page = async (at?: string) => {
        const { items, next } = await blobsOf().listPage(container, {
          ...options,
          ...(at !== undefined && { page: at }),
        });
        return { names: items.map(({ name }) => name), next };
      };
      const first = await page();
      expect(first).toEqual({ names: ['in/a', 'in/b'], next: expect.any(String) as string });
      await blobs.remove({ container, name: 'in/c' });
      await put('in/a2');
      await put('in/e');
      for (let again = 0; again < 2; again++)
        expect(await page(first.next)).toEqual({ names: ['in/d', 'in/e'], next: undefined });
      expect(await blobs.listPage('nowhere')).toEqual({ items: [] });
      expect(await blobs.listPage(container, { prefix: 'none/' })).toEqual({ items: [] });
    });

    it.each([
      ['data', NAMES.slice(0, 10)],
      ['data/', NAMES.slice(0, 8)],
      ['data/2024', NAMES.slice(0, 2)],
      ['data/a', ['data/a b%20.csv', 'data/a.csv']],
      ['data/ä', ['data/ä.csv']],
      ['data/🚀.csv', ['data/🚀.csv']],
      ['Data', []],
      ['/', []],
    ])('with the prefix %s', async (prefix, expected) => {
      expect(await names(CONTAINER, { prefix })).toEqual(expected);
      expect(await names(CONTAINER, { prefix, pageSize: 1 })).toEqual(expected);
    });

    it.each([
      ['', ['database.csv']],
      ['data/', NAMES.slice(2, 8)],
      ['data', ['database.csv']],
      ['data/2024/', NAMES.slice(0, 2)],
      ['empty/', ['empty/', 'empty/real.csv']],
    ])('directly under %j', async (prefix, expected) => {
      expect(await names(CONTAINER, { prefix, delimiter: '/' })).toEqual(expected);
      expect(await names(CONTAINER, { prefix, delimiter: '/', pageSize: 1 })).toEqual(expected);
    });

    it('shows a directory marker as what it is', async () => {
      const [marker] = await gather(blobsOf().list(CONTAINER, { prefix: 'empty/' }));
      expect(marker).toMatchObject({ name: 'empty/', length: 0, metadata: { hdi_isfolder: 'true' } });
    });

    it('may be left early, and ends with the reason of its signal', async () => {
      for await (const { name } of blobsOf().list(CONTAINER, { pageSize: 1 })) {
        expect(name).toBe(NAMES[0]);
        break;
      }
      const stop = new AbortController();
      const reason = new Error('cancelled');
      const seen: string[] = [];
      const listing = async () => {
        for await (const { name } of blobsOf().list(CONTAINER, { pageSize: 2, signal: stop.signal })) {
          seen.push(name);
          if (seen.length === 2) stop.abort(reason);
        }
      };
      await expect(listing()).rejects.toBe(reason);
      expect(seen).toEqual(NAMES.slice(0, 2));
    });
  });
}
