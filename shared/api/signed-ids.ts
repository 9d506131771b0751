import { createHmac, timingSafeEqual } from 'node:crypto';
import { badRequest } from '../domain/errors.ts';

/** Texts that clients hand back to us: opaque, bound to their purpose, and refused unless this app made them. */
export interface SignedIds {
  /** A signature of a text for one purpose, in characters that a URL takes. */
  sign(purpose: string, text: string): Promise<string>;
  isSigned(purpose: string, text: string, signature: string): Promise<boolean>;
  /** A page token for one list (`scope` names it and its filter). */
  seal(scope: string, continuation: string): Promise<string>;
  /** Throws ApiError 400 for a token of another list or app. */
  open(scope: string, token: string): Promise<string>;
  /**
   * The id of a management operation: `<kind>:<workspaceId>:<guid>`. Every operation is complete when its request is answered,
   * so nothing is stored: the guid holds the time of the operation and a signature.
   */
  operation(kind: string, workspaceId: string, at: number): Promise<string>;
  /** When the operation happened, in milliseconds; undefined for an id that this app did not make. */
  operationTime(id: string): Promise<number | undefined>;
}

const SIGNATURE_BYTES = 16;

export function signedIds(key: () => Promise<Uint8Array>): SignedIds {
  const sign = async (text: string): Promise<Buffer> =>
    createHmac('sha256', await key())
      .update(text)
      .digest();

  const operation = async (kind: string, workspaceId: string, at: number): Promise<string> => {
    const time = at.toString(16).padStart(12, '0');
    const hex = (await sign(JSON.stringify(['operation', kind, workspaceId, at]))).toString('hex');
    // The layout of a version 7 UUID: 48 bits of time, then bits that only we can know.
    const guid = [time.slice(0, 8), time.slice(8), `7${hex.slice(0, 3)}`, `8${hex.slice(3, 6)}`, hex.slice(6, 18)];
    return `${kind}:${workspaceId}:${guid.join('-')}`;
  };

  const signature = async (purpose: string, text: string): Promise<Buffer> =>
    sign(JSON.stringify(['text', purpose, text]));

  return {
    operation,

    sign: async (purpose, text) => (await signature(purpose, text)).toString('base64url'),

    async isSigned(purpose, text, given) {
      const bytes = Buffer.from(given, 'base64url');
      const expected = await signature(purpose, text);
      return bytes.length === expected.length && timingSafeEqual(bytes, expected);
    },

    async seal(scope, continuation) {
      const signature = (await sign(JSON.stringify(['page', scope, continuation]))).subarray(0, SIGNATURE_BYTES);
      return Buffer.concat([signature, Buffer.from(continuation)]).toString('base64url');
    },

    async open(scope, token) {
      const bytes = Buffer.from(token, 'base64url');
      const continuation = bytes.subarray(SIGNATURE_BYTES).toString();
      const expected = (await sign(JSON.stringify(['page', scope, continuation]))).subarray(0, SIGNATURE_BYTES);
      if (bytes.length < SIGNATURE_BYTES || !timingSafeEqual(bytes.subarray(0, SIGNATURE_BYTES), expected))
        throw badRequest('The page token was not made by this list. Begin again without it.', '$skiptoken');
      return continuation;
    },

    async operationTime(id) {
      const parts = /^([a-z]+):([^:]+):([0-9a-f]{8})-([0-9a-f]{4})-[0-9a-f-]{22}$/.exec(id);
      if (!parts) return undefined;
      const [, kind = '', workspaceId = '', high = '', low = ''] = parts;
      const at = Number.parseInt(high + low, 16);
      const expected = Buffer.from(await operation(kind, workspaceId, at));
      const given = Buffer.from(id);
      return given.length === expected.length && timingSafeEqual(given, expected) ? at : undefined;
    },
  };
}
