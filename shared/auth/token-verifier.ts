import { decodeJwt, errors, jwtVerify, type JWTVerifyGetKey } from 'jose';
import { z } from 'zod';
import { ApiError, messageOf } from '../domain/errors.ts';
import type { Plane, Principal } from './principal.ts';

/** Somebody whose tokens count, the keys that prove them, and the audiences that each plane takes (exact strings). */
export interface TokenIssuer {
  readonly issuer: string;
  readonly keys: JWTVerifyGetKey;
  readonly audiences: Readonly<Record<Plane, readonly string[]>>;
}

/** Checks a raw token for these planes (any one of them will do). Throws ApiError 401; the token itself is in no message. */
export type VerifyToken = (token: string, planes: readonly Plane[]) => Promise<Principal>;

const CLOCK_SKEW_SECONDS = 60;

const Claims = z.object({
  aud: z.union([z.string(), z.array(z.string())]),
  exp: z.number(),
  tid: z.string().min(1),
  oid: z.string().min(1),
  roles: z.array(z.string()).default([]),
});

const invalid = (message: string): ApiError => new ApiError(401, 'InvalidToken', message);

/**
 * Verifies bearer tokens: RS256 only, keys only from the issuer that the token names (header fields such as `jku` and `jwk`
 * are ignored), issuer and audience exact, `exp` required, 60 s of skew (S5.5). Further issuers, such as Entra ID with keys
 * by URL, are further entries.
 */
export function tokenVerifier({
  issuers,
  now = Date.now,
}: {
  readonly issuers: readonly TokenIssuer[];
  readonly now?: () => number;
}): VerifyToken {
  return async (token, planes) => {
    const issuer = issuers.find((one) => one.issuer === issuerOf(token));
    if (!issuer) throw invalid('The token was issued by nobody that this app trusts.');
    const claims = await verified(token, issuer, new Date(now()));
    const allowed = planes.flatMap((plane) => issuer.audiences[plane]);
    // One audience: a token that is good for several services could be replayed by each of them.
    const audiences = [claims.aud].flat();
    if (!audiences.every((audience) => allowed.includes(audience)) || audiences.length === 0)
      throw invalid('Audiences in JWT are not allowed');
    return {
      subject: `${claims.tid}:${claims.oid}`,
      tenantId: claims.tid,
      objectId: claims.oid,
      roles: claims.roles,
    };
  };
}

function issuerOf(token: string): string | undefined {
  try {
    return decodeJwt(token).iss;
  } catch (error) {
    if (error instanceof errors.JWTInvalid) throw invalid('The bearer token is not a JSON Web Token.');
    throw error;
  }
}

async function verified(token: string, issuer: TokenIssuer, currentDate: Date): Promise<z.infer<typeof Claims>> {
  try {
    const { payload } = await jwtVerify(token, issuer.keys, {
      algorithms: ['RS256'],
      issuer: issuer.issuer,
      clockTolerance: CLOCK_SKEW_SECONDS,
      currentDate,
    });
    const claims = Claims.safeParse(payload);
    if (claims.success) return claims.data;
    const field = claims.error.issues[0]?.path.join('.') ?? '';
    throw invalid(`The token's claim '${field}' is missing or of a wrong kind.`);
  } catch (error) {
    if (error instanceof errors.JWTExpired) throw invalid('The token has expired.');
    if (error instanceof errors.JWKSTimeout) throw error;
    if (error instanceof errors.JOSEError) throw invalid(`The token was refused: ${messageOf(error)}.`);
    throw error;
  }
}
