import { ApiError } from '../domain/errors.ts';
import type { Plane, Principal } from './principal.ts';
import type { VerifyToken } from './token-verifier.ts';

/** Far above real tokens (Entra's are some 2 KiB), far below what would be work to parse. */
const MAX_TOKEN = 16 * 1024;

/** The token of an `Authorization` header. */
export const bearerToken = (authorization: string | undefined): string | undefined =>
  /^Bearer +([A-Za-z0-9._~+/=-]+) *$/i.exec(authorization ?? '')?.[1];

/** The caller of a request by its `Authorization: Bearer` header. Throws ApiError 401. */
export async function authenticate(
  authorization: string | undefined,
  planes: readonly Plane[],
  verify: VerifyToken,
): Promise<Principal> {
  const token = bearerToken(authorization);
  if (authorization === undefined || authorization === '')
    throw new ApiError(401, 'Unauthorized', 'Authorization: Bearer <token> is required.');
  if (token === undefined || token.length > MAX_TOKEN)
    throw new ApiError(401, 'InvalidToken', 'The Authorization header must be: Bearer <token>.');
  return verify(token, planes);
}

/** The `WWW-Authenticate` header of a 401 (RFC 6750, section 3), with where to sign in as Azure's own services say it. */
export function challenge(error: ApiError, authorizationUri?: string): string {
  const facts = {
    realm: 'batchpoint',
    ...(authorizationUri !== undefined && { authorization_uri: authorizationUri }),
    ...(error.code !== 'Unauthorized' && { error: 'invalid_token', error_description: error.message }),
  };
  const quoted = Object.entries(facts).map(([name, value]) => `${name}="${value.replace(/[^\x20-\x7e]|["\\]/g, '')}"`);
  return `Bearer ${quoted.join(', ')}`;
}
