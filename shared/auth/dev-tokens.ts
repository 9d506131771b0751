import { createLocalJWKSet } from 'jose';
import { z } from 'zod';
import type { TokenIssuer } from './token-verifier.ts';

/** The development issuer's name, as the command line writes it into tokens; `.invalid` can never be somebody's host. */
export const DEV_ISSUER = 'https://batchpoint.invalid/dev';

/** Who the development issuer's people belong to. */
export const DEV_TENANT = '00000000-0000-4000-8000-0000000000d0';

export const OWN_AUDIENCE = 'api://batchpoint';

const withAndWithoutSlash = (audience: string): string[] => [audience, `${audience}/`];

/** Public keys only: whoever puts a private key into a setting should learn it at once. */
const PublicKeys = z.object({
  keys: z
    .array(
      z
        .object({
          kty: z.literal('RSA'),
          n: z.string(),
          e: z.string(),
          kid: z.string(),
          d: z.undefined('must not hold a private key').optional(),
        })
        .transform(({ kty, n, e, kid }) => ({ kty, n, e, kid, alg: 'RS256', use: 'sig' })),
    )
    .min(1),
});

/**
 * The development issuer from its public keys (a JWKS as JSON text). Its tokens count for our own audience and for Azure ML's,
 * so that unmodified clients work on a laptop: the scoring plane takes ml.azure.com, the management plane
 * management.azure.com. Throws on a text that is no such JWKS.
 */
export function devIssuer(jwks: string): TokenIssuer {
  return {
    issuer: DEV_ISSUER,
    keys: createLocalJWKSet(PublicKeys.parse(JSON.parse(jwks))),
    audiences: {
      scoring: [OWN_AUDIENCE, ...withAndWithoutSlash('https://ml.azure.com')],
      management: [OWN_AUDIENCE, ...withAndWithoutSlash('https://management.azure.com')],
    },
  };
}
