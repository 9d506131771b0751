import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { z } from 'zod';
import type { KeyWrapping } from './key-wrapping.ts';

/** A text that only whoever may use the wrapping key can read. All fields but `keyId` are base64. */
export const SealedText = z.object({
  keyId: z.string(),
  wrapped: z.string(),
  iv: z.string(),
  tag: z.string(),
  data: z.string(),
});
export type SealedText = z.infer<typeof SealedText>;

const CIPHER = 'aes-256-gcm';

/** Seals with a key of its own (AES-256-GCM). `context` has to be the same when it is opened: what was moved stays closed. */
export async function seal(wrapping: KeyWrapping, text: string, context: string): Promise<SealedText> {
  const key = randomBytes(32);
  const iv = randomBytes(12);
  const cipher = createCipheriv(CIPHER, key, iv).setAAD(Buffer.from(context));
  const data = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()]);
  return {
    ...(await wrapping.wrap(key)),
    iv: iv.toString('base64'),
    tag: cipher.getAuthTag().toString('base64'),
    data: data.toString('base64'),
  };
}

/** Throws for another context, for what was changed, and StorageFault for a key that cannot be had. */
export async function unseal(wrapping: KeyWrapping, sealed: SealedText, context: string): Promise<string> {
  const key = await wrapping.unwrap(sealed);
  const decipher = createDecipheriv(CIPHER, key, Buffer.from(sealed.iv, 'base64')).setAAD(Buffer.from(context));
  decipher.setAuthTag(Buffer.from(sealed.tag, 'base64'));
  return Buffer.concat([decipher.update(Buffer.from(sealed.data, 'base64')), decipher.final()]).toString('utf8');
}
