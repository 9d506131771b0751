import { KeyObject, verify } from 'node:crypto';
import { decodeProtectedHeader, errors, type CompactJWSHeaderParameters, type CryptoKey } from 'jose';

/** The key that a token's header names. Throws jose's errors for a header that names none. */
export type TokenKeys = (header: CompactJWSHeaderParameters) => Promise<CryptoKey>;

/** The only algorithm that Entra ID signs access tokens with. */
const ALGORITHM = 'RS256';
const SMALLEST_MODULUS_BITS = 2048;

/**
 * Verifies the signature of a compact JWS: RS256 only, and no extension (`crit`). Throws jose's errors.
 *
 * By node's own `verify`, where jose's WebCrypto takes each signature to another thread and back: 0.12 ms of processor time for it
 * here, 0.04 ms this way. Keys and decoding stay jose's.
 */
export async function verifySignature(token: string, keys: TokenKeys): Promise<void> {
  const { alg, crit, ...header } = decodeProtectedHeader(token);
  if (alg !== ALGORITHM) throw new errors.JOSEAlgNotAllowed('"alg" (Algorithm) Header Parameter value not allowed');
  if (crit !== undefined) throw new errors.JOSENotSupported('"crit" (Critical) Header Parameter is not supported');
  const key = nodeKey(await keys({ ...header, alg }));
  const end = token.lastIndexOf('.');
  const written = token.slice(end + 1);
  const signature = Buffer.from(written, 'base64url');
  // Node passes over what is not base64url: one signature has one text.
  const isSigned =
    signature.toString('base64url') === written && verify('sha256', Buffer.from(token.slice(0, end)), key, signature);
  if (!isSigned) throw new errors.JWSSignatureVerificationFailed();
}

/** A key set gives the same object for a key as long as it keeps it. */
const nodeKeys = new WeakMap<CryptoKey, KeyObject>();

function nodeKey(key: CryptoKey): KeyObject {
  const known = nodeKeys.get(key);
  if (known) return known;
  const made = KeyObject.from(key);
  if ((made.asymmetricKeyDetails?.modulusLength ?? 0) < SMALLEST_MODULUS_BITS)
    throw new errors.JOSENotSupported(`${ALGORITHM} takes keys of ${SMALLEST_MODULUS_BITS} bits or more`);
  nodeKeys.set(key, made);
  return made;
}
