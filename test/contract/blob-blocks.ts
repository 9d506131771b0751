import { beforeAll, describe, expect, it } from 'vitest';
import { type BlobRef, type Blobs, isConflict } from '../../shared/storage/ports.ts';
import { gather, textOf } from '../support/gather.ts';

const CONTAINER = 'blocks';
const fault = (status: number, code: string) => ({ name: 'StorageFault', status, code });
const bytes = (text: string) => new TextEncoder().encode(text);
const id = (text: string) => Buffer.from(text).toString('base64');

let drawn = 0;
const fresh = (name = `blob${(drawn += 1)}`): BlobRef => ({ container: CONTAINER, name });

/** Staging and committing blocks, a part of the blobs contract. */
export function blobBlocksContract(blobsOf: () => Blobs): void {
  describe('blocks', () => {
    beforeAll(() => blobsOf().ensureContainer(CONTAINER));

    const content = async (ref: BlobRef): Promise<string | undefined> => {
      const found = await blobsOf().read(ref);
      return found && textOf(found.body);
    };

    it('become a blob in the order of the list, not of staging', async () => {
      const ref = fresh();
      for (const block of ['c', 'a', 'b', 'unused'])
        await blobsOf().stageBlock(ref, id(block[0] ?? ''), bytes(`<${block}>`));
      const metadata = { batchpoint_list: 'hash' };
      const { etag } = await blobsOf().commitBlocks(ref, ['a', 'b', 'c', 'a'].map(id), {
        metadata,
        contentType: 'text/csv',
      });
      expect(await blobsOf().head(ref)).toEqual({ etag, length: 12, metadata });
      expect(await content(ref)).toBe('<a><b><c><a>');
    });

    it('are invisible until the commit', async () => {
      const ref = fresh('invisible/blob');
      await blobsOf().stageBlock(ref, id('a'), bytes('x'));
      expect(await blobsOf().head(ref)).toBeUndefined();
      expect(await blobsOf().read(ref)).toBeUndefined();
      expect(await gather(blobsOf().list(CONTAINER, { prefix: 'invisible/' }))).toEqual([]);
    });

    it('are many, and the last staged body of an id counts', async () => {
      const ref = fresh();
      const ids = Array.from({ length: 120 }, (_, n) => id(String(n).padStart(5, '0')));
      for (const blockId of ids) await blobsOf().stageBlock(ref, blockId, bytes('old;'));
      await Promise.all(ids.map((blockId, n) => blobsOf().stageBlock(ref, blockId, bytes(`${n};`))));
      await blobsOf().commitBlocks(ref, ids);
      expect(await content(ref)).toBe(ids.map((_, n) => `${n};`).join(''));
    });

    it('make an empty blob when the list is empty', async () => {
      const ref = fresh();
      await blobsOf().commitBlocks(ref, []);
      expect(await content(ref)).toBe('');
    });

    it('keep the bytes of the moment of staging', async () => {
      const ref = fresh();
      const body = bytes('before');
      await blobsOf().stageBlock(ref, id('a'), body);
      body.fill(0);
      await blobsOf().commitBlocks(ref, [id('a')]);
      expect(await content(ref)).toBe('before');
    });

    it('are committed over nothing only', async () => {
      const ref = fresh();
      await blobsOf().write(ref, bytes('first'));
      await blobsOf().stageBlock(ref, id('a'), bytes('second'));
      await expect(blobsOf().commitBlocks(ref, [id('a')])).rejects.toMatchObject(fault(409, 'BlobAlreadyExists'));
      expect(await content(ref)).toBe('first');
    });

    it('take the place of a given version only', async () => {
      const ref = fresh();
      const { etag } = await blobsOf().write(ref, bytes('first'));
      await blobsOf().stageBlock(ref, id('a'), bytes('second'));
      const replaced = await blobsOf().commitBlocks(ref, [id('a')], { replaces: etag });
      expect(await content(ref)).toBe('second');
      await blobsOf().stageBlock(ref, id('a'), bytes('third'));
      const stale = blobsOf().commitBlocks(ref, [id('a')], { replaces: etag });
      await expect(stale).rejects.toMatchObject(fault(412, 'ConditionNotMet'));
      expect(await blobsOf().head(ref)).toMatchObject({ etag: replaced.etag });
    });

    it('of the version that is replaced can be named again, beside new ones', async () => {
      const ref = fresh();
      await blobsOf().stageBlock(ref, id('a'), bytes('first '));
      await blobsOf().stageBlock(ref, id('b'), bytes('gone'));
      const { etag } = await blobsOf().commitBlocks(ref, [id('a'), id('b')]);
      await blobsOf().stageBlock(ref, id('c'), bytes('third'));
      await blobsOf().commitBlocks(ref, [id('a'), id('c')], { replaces: etag });
      expect(await content(ref)).toBe('first third');
    });

    it('let exactly one of many concurrent commits win, whole', async () => {
      const ref = fresh();
      const rivals = Array.from({ length: 6 }, (_, n) => id(`rival-${n}`));
      for (const rival of rivals) await blobsOf().stageBlock(ref, rival, bytes(rival));
      const tries = await Promise.allSettled(rivals.map((rival) => blobsOf().commitBlocks(ref, [rival])));
      const won = rivals.filter((_, n) => tries[n]?.status === 'fulfilled');
      expect(won).toHaveLength(1);
      expect(tries.filter((one) => one.status === 'rejected' && isConflict(one.reason))).toHaveLength(5);
      expect(await content(ref)).toBe(won[0]);
    });

    it('of the loser are gone once the winner committed', async () => {
      const ref = fresh();
      await blobsOf().stageBlock(ref, id('mine'), bytes('mine'));
      await blobsOf().stageBlock(ref, id('your'), bytes('your'));
      await blobsOf().commitBlocks(ref, [id('mine')]);
      await expect(blobsOf().commitBlocks(ref, [id('your')])).rejects.toMatchObject(fault(409, 'BlobAlreadyExists'));
      await blobsOf().remove(ref);
      await expect(blobsOf().commitBlocks(ref, [id('your')])).rejects.toMatchObject(fault(400, 'InvalidBlockList'));
    });

    it('that were never staged cannot be committed', async () => {
      const ref = fresh();
      await blobsOf().stageBlock(ref, id('a'), bytes('x'));
      await expect(blobsOf().commitBlocks(ref, ['a', 'b'].map(id))).rejects.toMatchObject(
        fault(400, 'InvalidBlockList'),
      );
      expect(await blobsOf().head(ref)).toBeUndefined();
    });

    it('have ids of one length', async () => {
      const ref = fresh();
      await blobsOf().stageBlock(ref, id('short'), bytes('x'));
      const longer = blobsOf().stageBlock(ref, id('longer id'), bytes('x'));
      await expect(longer).rejects.toMatchObject(fault(400, 'InvalidBlobOrBlock'));
    });

    it('are never empty', async () => {
      await expect(blobsOf().stageBlock(fresh(), id('a'), new Uint8Array())).rejects.toThrow('empty block');
    });

    it('are not staged for a caller who has gone', async () => {
      const reason = new Error('cancelled');
      const staged = blobsOf().stageBlock(fresh(), id('a'), bytes('x'), { signal: AbortSignal.abort(reason) });
      await expect(staged).rejects.toBe(reason);
    });
  });
}
