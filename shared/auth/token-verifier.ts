import { decodeJwt, decodeProtectedHeader, errors, type JWTPayload } from 'jose';
import { z } from 'zod';
import { ApiError, messageOf } from '../domain/errors.ts';
import type { Plane, Principal } from './principal.ts';
import { grantsOfRoles, type Assignments } from './roles.ts';
import { verifySignature, type TokenKeys } from './token-signature.ts';

/** Somebody whose tokens count, the keys that prove them, and the audiences that each plane takes (exact strings). */
export interface TokenIssuer {
  readonly issuer: string;
  readonly keys: TokenKeys;
  /** This app's own. */
  readonly audiences: Readonly<Record<Plane, readonly string[]>>;
  /** Those of other services: their tokens say who calls, and grant nothing by their roles (S5.2). */
  readonly foreignAudiences?: Readonly<Record<Plane, readonly string[]>>;
  /** What else must be true of this issuer's tokens. Throws ApiError. */
  check?(claims: Claims, isForeign: boolean): void;
}

/** Checks a raw token for these planes (any one of them will do). Throws ApiError 401; the token itself is in no message. */
export type VerifyToken = (token: string, planes: readonly Plane[]) => Promise<Principal>;

const CLOCK_SKEW_SECONDS = 60;

const MAX_NAME = 200;

const Claims = z.object({
  aud: z.union([z.string(), z.array(z.string())]),
  /** Seconds since 1970. */
  exp: z.number(),
  nbf: z.number().optional(),
  tid: z.string().min(1),
  oid: z.string().min(1),
  roles: z.array(z.string()).default([]),
  /** What Entra ID adds: the token's version, the client that asked for it, and for whom it works. */
  ver: z.string().optional(),
  appid: z.string().optional(),
  azp: z.string().optional(),
  scp: z.string().optional(),
  idtyp: z.string().optional(),
  name: z.string().optional(),
});
export type Claims = z.infer<typeof Claims>;

/** A person's token says what the client may do for that person; an app's own token has roles alone (S5.4). */
export const isPersons = ({ scp, idtyp }: Claims): boolean => scp !== undefined || idtyp === 'user';

export const invalidToken = (message: string): ApiError => new ApiError(401, 'InvalidToken', message);

/**
 * Verifies bearer tokens: RS256 only, keys only from the issuer that the token names (header fields such as `jku` and `jwk`
 * are ignored), issuer and audience exact, `exp` required, 60 s of skew (S5.5).
 */
export function tokenVerifier({
  issuers,
  assignments = new Map(),
  now = Date.now,
}: {
  readonly issuers: readonly TokenIssuer[];
  /** Roles beside those of the token. */
  readonly assignments?: Assignments;
  readonly now?: () => number;
}): VerifyToken {
  return async (token, planes) => {
    const payload = payloadOf(token);
    const issuer = issuers.find((one) => one.issuer === payload.iss);
    if (!issuer) throw invalidToken('The token was issued by nobody that this app trusts.');
    await checkSignature(token, issuer);
    const claims = currentClaims(payload, Math.floor(now() / 1000));
    // One audience: a token that is good for several services could be replayed by each of them.
    const audiences = [claims.aud].flat();
    const areAll = (allowed: TokenIssuer['foreignAudiences']): boolean =>
      audiences.length > 0 && audiences.every((one) => planes.some((plane) => allowed?.[plane].includes(one)));
    const isForeign = areAll(issuer.foreignAudiences);
    if (!isForeign && !areAll(issuer.audiences)) throw invalidToken('Audiences in JWT are not allowed');
    issuer.check?.(claims, isForeign);
    return {
      subject: `${claims.tid}:${claims.oid}`,
      tenantId: claims.tid,
      objectId: claims.oid,
      ...(claims.name !== undefined && { name: claims.name.slice(0, MAX_NAME) }),
      kind: isForeign ? 'foreign' : isPersons(claims) ? 'person' : 'app',
      grants: [...(isForeign ? [] : grantsOfRoles(claims.roles)), ...(assignments.get(claims.oid.toLowerCase()) ?? [])],
    };
  };
}

/** What the token says, and nobody has vouched for yet. */
function payloadOf(token: string): JWTPayload {
  try {
    const payload = decodeJwt(token);
    // Its signature is over another header than the one that is sent: nobody but Microsoft Graph can check it.
    if (decodeProtectedHeader(token)['nonce'] !== undefined)
      throw invalidToken('The token is for Microsoft Graph. Ask for one for this app.');
    return payload;
  } catch (error) {
    if (error instanceof errors.JWTInvalid || error instanceof TypeError)
      throw invalidToken('The bearer token is not a JSON Web Token.');
    throw error;
  }
}

async function checkSignature(token: string, issuer: TokenIssuer): Promise<void> {
  try {
    await verifySignature(token, issuer.keys);
  } catch (error) {
    if (error instanceof errors.JOSEError) throw invalidToken(`The token was refused: ${messageOf(error)}.`);
    throw error;
  }
}

/** The claims that we use, when they are good at `now` (seconds). */
function currentClaims(payload: JWTPayload, now: number): Claims {
  const { success, data, error } = Claims.safeParse(payload);
  if (!success)
    throw invalidToken(`The token's claim '${error.issues[0]?.path.join('.') ?? ''}' is missing or of a wrong kind.`);
  if (data.exp <= now - CLOCK_SKEW_SECONDS) throw invalidToken('The token has expired.');
  if ((data.nbf ?? now) > now + CLOCK_SKEW_SECONDS)
    throw invalidToken('The token was refused: "nbf" claim timestamp check failed.');
  return data;
}
