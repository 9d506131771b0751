import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { StorageFault } from '../../shared/storage/ports.ts';
import type { KeyWrapping } from '../../shared/storage/sealing/key-wrapping.ts';
import { seal, unseal } from '../../shared/storage/sealing/sealed-text.ts';

interface Opened {
  readonly wrapping: KeyWrapping;
  /** One with another key. */
  readonly other: KeyWrapping;
  close(): Promise<void>;
}

/** What every adapter of KeyWrapping promises, and what is sealed with it. */
export function keyWrappingContract(name: string, open: () => Promise<Opened>): void {
  describe(`key wrapping by ${name}`, () => {
    let opened: Opened;
    beforeAll(async () => {
      opened = await open();
    });
    afterAll(() => opened.close());

    it('gives a key back as it was, and shows nothing of it', async () => {
      const key = randomBytes(32);
      const { wrapping } = opened;
      const [one, two] = [await wrapping.wrap(key), await wrapping.wrap(key)];
      expect(one.wrapped).not.toBe(two.wrapped);
      expect(Buffer.from(one.wrapped, 'base64').includes(key)).toBe(false);
      expect([...(await wrapping.unwrap(one))]).toEqual([...key]);
      expect([...(await wrapping.unwrap(two))]).toEqual([...key]);
    });

    it('refuses what was changed, what is none, and what another key has wrapped', async () => {
      const { wrapping, other } = opened;
      const good = await wrapping.wrap(randomBytes(32));
      const bytes = Buffer.from(good.wrapped, 'base64');
      bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) ^ 1;
      const bad = [
        { ...good, wrapped: bytes.toString('base64') },
        { ...good, wrapped: 'AAAA' },
        { ...good, keyId: 'https://elsewhere.invalid/keys/k/1' },
        { ...(await other.wrap(randomBytes(32))), keyId: good.keyId },
      ];
      for (const one of bad) await expect(wrapping.unwrap(one)).rejects.toBeInstanceOf(StorageFault);
    });

    it('seals a text that opens in its own place alone', async () => {
      const { wrapping } = opened;
      const sealed = await seal(wrapping, 'a sécret', 'job-1');
      expect(JSON.stringify(sealed)).not.toContain(Buffer.from('a sécret').toString('base64').slice(0, 8));
      expect(await unseal(wrapping, sealed, 'job-1')).toBe('a sécret');
      await expect(unseal(wrapping, sealed, 'job-2')).rejects.toThrow();
      const data = Buffer.from(sealed.data, 'base64');
      data[0] = (data[0] ?? 0) ^ 1;
      await expect(unseal(wrapping, { ...sealed, data: data.toString('base64') }, 'job-1')).rejects.toThrow();
    });
  });
}
