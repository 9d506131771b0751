import { createHash, timingSafeEqual } from 'node:crypto';

/** The setting with the host's key. */
export const HOST_KEY_SETTING = 'BATCHPOINT_HOST_KEY';

/** Guards the doors that are the host's own (`/admin`, `/runtime/webhooks`, the Durable client's), as host keys do in Azure. */
export interface HostKey {
  /** Whether the key was brought as `x-functions-key` or `code`. */
  isBrought(header: string | string[] | undefined, search: string): boolean;
  /** The segments behind the Durable client's own prefix and the key, which has to be the first of them; undefined without it. */
  behind(segments: readonly string[]): readonly string[] | undefined;
}

/** Without a key the doors are open to whoever reaches this machine's loopback, as those of Core Tools. */
export function hostKey(key: string | undefined): HostKey {
  if (key === undefined) return { isBrought: () => true, behind: (segments) => segments };
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
  const expected = digest(key);
  const isKey = (text: string): boolean => timingSafeEqual(digest(text), expected);
  return {
    isBrought: (header, search) => isKey(header?.toString() ?? new URLSearchParams(search).get('code') ?? ''),
    behind: ([first = '', ...rest]) => (isKey(first) ? rest : undefined),
  };
}
