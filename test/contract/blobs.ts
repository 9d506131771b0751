import { beforeAll, describe, expect, it } from 'vitest';
import type { BlobRef, Blobs } from '../../shared/storage/ports.ts';
import { gather, textOf } from '../support/gather.ts';
import { blobBlocksContract } from './blob-blocks.ts';
import { blobListingContract } from './blob-listing.ts';

const CONTAINER = 'contract';
const fault = (status: number, code: string) => ({ name: 'StorageFault', status, code });
const bytes = (text: string) => new TextEncoder().encode(text);
const id = (text: string) => Buffer.from(text).toString('base64');

let drawn = 0;
const fresh = (name = `blob${(drawn += 1)}`): BlobRef => ({ container: CONTAINER, name });

async function* chunks(...texts: string[]): AsyncGenerator<Uint8Array> {
  for (const text of texts) yield bytes(text);
}

/** What every adapter of the blobs port must do. `make` gives an account that no other suite uses. */
export function blobsContract(name: string, make: () => Promise<Blobs>): void {
  describe(`blobs: ${name}`, () => {
    let blobs: Blobs;
    beforeAll(async () => {
      blobs = await make();
      await blobs.ensureContainer(CONTAINER);
    });

    const content = async (ref: BlobRef): Promise<string | undefined> => {
      const found = await blobs.read(ref);
      return found && textOf(found.body);
    };

    describe('absent', () => {
      it.each(['nowhere', CONTAINER])('a blob in %s', async (container) => {
        const ref = { container, name: 'absent' };
        expect(await blobs.head(ref)).toBeUndefined();
        expect(await blobs.read(ref)).toBeUndefined();
        expect(await blobs.remove(ref)).toBe(false);
      });

      it('a container cannot be written to', async () => {
        const ref = { container: 'nowhere', name: 'x' };
        const refused = fault(404, 'ContainerNotFound');
        await expect(blobs.write(ref, bytes('x'))).rejects.toMatchObject(refused);
        await expect(blobs.writeStream(ref, chunks('x'))).rejects.toMatchObject(refused);
        await expect(blobs.stageBlock(ref, id('a'), bytes('x'))).rejects.toMatchObject(refused);
        await expect(blobs.commitBlocks(ref, [])).rejects.toMatchObject(refused);
      });

      it('a container can be made twice', async () => {
        await blobs.ensureContainer('twice');
        await blobs.write({ container: 'twice', name: 'kept' }, bytes('x'));
        await blobs.ensureContainer('twice');
        expect(await blobs.head({ container: 'twice', name: 'kept' })).toMatchObject({ length: 1 });
      });
    });

    describe('write', () => {
      it.each([
        ['nothing', new Uint8Array()],
        ['one byte', new Uint8Array([0])],
        ['many bytes', Uint8Array.from({ length: 300_000 }, (_, n) => n % 251)],
      ])('holds %s', async (_what, body) => {
        const ref = fresh();
        const { etag } = await blobs.write(ref, body);
        expect(await blobs.head(ref)).toEqual({ etag, length: body.length, metadata: {} });
        const { body: read, ...properties } = (await blobs.read(ref)) ?? { body: chunks() };
        expect(properties).toEqual({ etag, length: body.length, metadata: {} });
        expect(Buffer.concat(await gather(read)).equals(body)).toBe(true);
      });

      it('keeps metadata until the next write', async () => {
        const ref = fresh();
        await blobs.write(ref, bytes('a'), { metadata: { batchpoint_job: 'a=b; c' }, contentType: 'text/csv' });
        expect((await blobs.head(ref))?.metadata).toEqual({ batchpoint_job: 'a=b; c' });
        expect((await blobs.read(ref))?.metadata).toEqual({ batchpoint_job: 'a=b; c' });
        await blobs.write(ref, bytes('b'));
        expect((await blobs.head(ref))?.metadata).toEqual({});
      });

      it.each([{ Upper: 'x' }, { 'with-dash': 'x' }, { '': 'x' }, { ok: 'ümlaut' }, { ok: 'a\nb' }])(
        'refuses the metadata %j',
        async (metadata) => {
          await expect(blobs.write(fresh(), bytes('x'), { metadata })).rejects.toThrow('metadata');
          await expect(blobs.commitBlocks(fresh(), [], { metadata })).rejects.toThrow('metadata');
        },
      );

      it('keeps the bytes of the moment it answered', async () => {
        const ref = fresh();
        const body = bytes('before');
        await blobs.write(ref, body);
        body.fill(0);
        const [first] = await gather((await blobs.read(ref))?.body ?? chunks());
        first?.fill(0);
        expect(await content(ref)).toBe('before');
      });

      it('replaces, and moves the ETag', async () => {
        const ref = fresh();
        const first = await blobs.write(ref, bytes('same'));
        const second = await blobs.write(ref, bytes('same'));
        expect(second.etag).not.toBe(first.etag);
      });

      it('writes only if absent', async () => {
        const ref = fresh();
        await blobs.write(ref, bytes('first'), { ifNoneMatch: '*' });
        const late = blobs.write(ref, bytes('second'), { ifNoneMatch: '*' });
        await expect(late).rejects.toMatchObject(fault(409, 'BlobAlreadyExists'));
        const streamed = blobs.writeStream(ref, chunks('third'), { ifNoneMatch: '*' });
        await expect(streamed).rejects.toMatchObject(fault(409, 'BlobAlreadyExists'));
        expect(await content(ref)).toBe('first');
      });

      it('writes only over the version that was read', async () => {
        const ref = fresh();
        const { etag } = await blobs.write(ref, bytes('one'));
        const next = await blobs.write(ref, bytes('two'), { ifMatch: etag });
        const stale = blobs.write(ref, bytes('three'), { ifMatch: etag });
        await expect(stale).rejects.toMatchObject(fault(412, 'ConditionNotMet'));
        const streamed = blobs.writeStream(ref, chunks('four'), { ifMatch: etag });
        await expect(streamed).rejects.toMatchObject(fault(412, 'ConditionNotMet'));
        expect(await content(ref)).toBe('two');
        await blobs.writeStream(ref, chunks('five'), { ifMatch: next.etag });
        expect(await content(ref)).toBe('five');
      });

      it.each(['a b.csv', 'ümläut/日本/🚀.csv', '100%25.csv', 'a?b#c&d=e+f.csv', "it's.csv", 'dir/', 'x'.repeat(1000)])(
        'lives under the name %s',
        async (blobName) => {
          const ref = fresh(blobName);
          await blobs.write(ref, bytes(blobName));
          expect(await content(ref)).toBe(blobName);
          expect(await blobs.remove(ref)).toBe(true);
          expect(await blobs.head(ref)).toBeUndefined();
        },
      );

      it.each(['', '.', 'a/../b', '../b', 'a/.', 'a\\b', 'a\nb', 'x'.repeat(1025), '\ud800'])(
        'refuses the name %j, which its address would rewrite',
        async (blobName) => {
          const ref = fresh(blobName);
          const calls = [() => blobs.head(ref), () => blobs.read(ref), () => blobs.write(ref, bytes('x'))];
          const more = [() => blobs.stageBlock(ref, id('a'), bytes('x')), () => blobs.commitBlocks(ref, [])];
          for (const call of [...calls, ...more, () => blobs.remove(ref), () => blobs.writeStream(ref, chunks())]) {
            await expect(call()).rejects.toThrow('not a blob name');
          }
        },
      );
    });

    describe('writeStream', () => {
      it.each([
        ['nothing', []],
        ['empty chunks', ['', '']],
        ['one chunk', ['one']],
        ['many chunks', Array.from({ length: 50 }, (_, n) => `line ${n}\n`)],
      ])('joins %s', async (_what, texts) => {
        const ref = fresh();
        const { etag, length } = await blobs.writeStream(ref, chunks(...texts), { metadata: { kind: 'log' } });
        expect(await blobs.head(ref)).toEqual({ etag, length, metadata: { kind: 'log' } });
        expect(await content(ref)).toBe(texts.join(''));
        expect(length).toBe(texts.join('').length);
      });

      it('carries more than one block, from a buffer that its source uses again', async () => {
        const ref = fresh();
        const buffer = new Uint8Array(1_500_000);
        const reused = async function* () {
          for (let n = 1; n <= 7; n += 1) yield buffer.fill(n);
        };
        expect(await blobs.writeStream(ref, reused())).toMatchObject({ length: 10_500_000 });
        const read = Buffer.concat(await gather((await blobs.read(ref))?.body ?? chunks()));
        const expected = Buffer.concat([1, 2, 3, 4, 5, 6, 7].map((n) => Buffer.alloc(1_500_000, n)));
        expect(read.equals(expected)).toBe(true);
      });

      it('writes nothing when its source fails, and lets the reason through', async () => {
        const ref = fresh();
        const failing = async function* () {
          yield new Uint8Array(5_000_000);
          throw new Error('the source broke');
        };
        await expect(blobs.writeStream(ref, failing())).rejects.toThrow('the source broke');
        expect(await blobs.head(ref)).toBeUndefined();
      });

      it('stops for its signal', async () => {
        const ref = fresh();
        const stop = new AbortController();
        const endless = async function* () {
          for (let n = 0; ; n += 1) {
            if (n === 3) stop.abort(new Error('enough'));
            yield new Uint8Array(1_500_000);
          }
        };
        await expect(blobs.writeStream(ref, endless(), { signal: stop.signal })).rejects.toThrow('enough');
        expect(await blobs.head(ref)).toBeUndefined();
      });
    });

    describe('read', () => {
      it.each([
        [{ offset: 3 }, '3456789'],
        [{ offset: 2, count: 4 }, '2345'],
        [{ count: 1 }, '0'],
        [{ offset: 8, count: 100 }, '89'],
        [{ offset: 9 }, '9'],
        [{ offset: 0 }, '0123456789'],
      ])('takes the range %j, and says the length of the blob', async (range, expected) => {
        const ref = fresh();
        await blobs.write(ref, bytes('0123456789'));
        const found = await blobs.read(ref, range);
        expect(found?.length).toBe(10);
        expect(await textOf(found?.body ?? chunks())).toBe(expected);
      });

      it('refuses a range that begins at the end', async () => {
        const ref = fresh();
        await blobs.write(ref, bytes('0123456789'));
        await expect(blobs.read(ref, { offset: 10 })).rejects.toMatchObject(fault(416, 'InvalidRange'));
        await expect(blobs.read(ref, { offset: 11, count: 1 })).rejects.toMatchObject(fault(416, 'InvalidRange'));
        await blobs.write(ref, bytes(''));
        await expect(blobs.read(ref, { count: 1 })).rejects.toMatchObject(fault(416, 'InvalidRange'));
      });

      it.each([{ offset: -1 }, { offset: 0.5 }, { count: 0 }, { count: -1 }])(
        'refuses the range %j before it asks',
        async (range) => {
          await expect(blobs.read(fresh(), range)).rejects.toThrow(RangeError);
        },
      );

      it('reads the version that was listed, or none', async () => {
        const ref = fresh();
        const { etag } = await blobs.write(ref, bytes('one'));
        expect(await textOf((await blobs.read(ref, { ifMatch: etag }))?.body ?? chunks())).toBe('one');
        await blobs.write(ref, bytes('two'));
        const refused = fault(412, 'ConditionNotMet');
        await expect(blobs.read(ref, { ifMatch: etag })).rejects.toMatchObject(refused);
        await expect(blobs.read(ref, { ifMatch: etag, offset: 1, count: 1 })).rejects.toMatchObject(refused);
      });

      it('ends with the reason of its signal, before and amid the bytes', async () => {
        const ref = fresh();
        await blobs.write(ref, new Uint8Array(8_000_000));
        const reason = new Error('cancelled');
        await expect(blobs.read(ref, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
        const stop = new AbortController();
        const found = await blobs.read(ref, { signal: stop.signal });
        let received = 0;
        const reading = async () => {
          for await (const chunk of found?.body ?? chunks()) {
            received += chunk.length;
            stop.abort(reason);
          }
        };
        await expect(reading()).rejects.toBe(reason);
        expect(received).toBeLessThan(8_000_000);
      });

      it('may be left early, and leaves the blob readable', async () => {
        const ref = fresh();
        await blobs.write(ref, new Uint8Array(4_000_000).fill(65));
        for await (const chunk of (await blobs.read(ref))?.body ?? chunks()) {
          expect(chunk[0]).toBe(65);
          break;
        }
        expect((await content(ref))?.length).toBe(4_000_000);
      });
    });

    blobBlocksContract(() => blobs);

    it('removes a blob once', async () => {
      const ref = fresh();
      await blobs.write(ref, bytes('x'));
      expect(await blobs.remove(ref)).toBe(true);
      expect(await blobs.remove(ref)).toBe(false);
      expect(await content(ref)).toBeUndefined();
    });

    blobListingContract(() => blobs);
  });
}
