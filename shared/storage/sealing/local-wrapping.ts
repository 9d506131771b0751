import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto';
import { StorageFault } from '../ports.ts';
import type { KeyWrapping } from './key-wrapping.ts';

const KEY_ID = 'local';
const IV_BYTES = 12;
const TAG_BYTES = 16;

/** Wraps with a key that is derived from a secret of the app itself: for a developer's machine, where there is no vault. */
export function localWrapping(secret: () => Promise<Uint8Array>): KeyWrapping {
  const ownKey = async (): Promise<Uint8Array> =>
    new Uint8Array(hkdfSync('sha256', await secret(), new Uint8Array(), 'batchpoint key wrapping', 32));
  return {
    async wrap(key) {
      const iv = randomBytes(IV_BYTES);
      const cipher = createCipheriv('aes-256-gcm', await ownKey(), iv);
      const sealed = Buffer.concat([iv, cipher.update(key), cipher.final(), cipher.getAuthTag()]);
      return { keyId: KEY_ID, wrapped: sealed.toString('base64') };
    },
    async unwrap({ keyId, wrapped }) {
      if (keyId !== KEY_ID) throw refused('KeyNotFound');
      const sealed = Buffer.from(wrapped, 'base64');
      if (sealed.length <= IV_BYTES + TAG_BYTES) throw refused('BadParameter');
      const decipher = createDecipheriv('aes-256-gcm', await ownKey(), sealed.subarray(0, IV_BYTES));
      decipher.setAuthTag(sealed.subarray(-TAG_BYTES));
      const opened = decipher.update(sealed.subarray(IV_BYTES, -TAG_BYTES));
      try {
        decipher.final();
      } catch (error) {
        throw refused('BadParameter', error);
      }
      return opened;
    },
  };
}

const refused = (code: string, cause?: unknown): StorageFault =>
  new StorageFault('unwrap a key', 400, code, undefined, cause === undefined ? undefined : { cause });
