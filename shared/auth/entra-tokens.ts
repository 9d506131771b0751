import { ApiError } from '../domain/errors.ts';
import type { Plane } from './principal.ts';
import { remoteKeys } from './remote-keys.ts';
import type { TokenKeys } from './token-signature.ts';
import { invalidToken, isPersons, type Claims, type TokenIssuer } from './token-verifier.ts';

/** Services of Microsoft whose tokens may be let in, for clients that cannot ask for ours (S5.1, S5.2). */
const FOREIGN_AUDIENCES = {
  azureml: { audience: 'https://ml.azure.com', plane: 'scoring' },
  arm: { audience: 'https://management.azure.com', plane: 'management' },
} as const satisfies Readonly<Record<string, { readonly audience: string; readonly plane: Plane }>>;

export type ForeignAudience = keyof typeof FOREIGN_AUDIENCES;

export const FOREIGN_NAMES = ['azureml', 'arm'] as const satisfies readonly ForeignAudience[];

/** An app registration of one tenant, and what counts as a token for it. */
export interface EntraApp {
  /** Where the tenant signs people in, without a slash at the end: https://login.microsoftonline.com, or a national cloud's. */
  readonly authority: string;
  readonly tenantId: string;
  readonly clientId: string;
  /** App ID URIs beside `api://{clientId}`. */
  readonly audiences: readonly string[];
  readonly accepted: readonly ForeignAudience[];
  onFault(error: unknown): void;
}

/** What a person's client must have been allowed to do here. */
const SCOPE = 'user_impersonation';

export const PUBLIC_AUTHORITY = 'https://login.microsoftonline.com';

/** Tokens of version 1.0 name an older host: one for the public cloud and US Government, one for China. */
const V1_ISSUER = 'https://sts.windows.net';
const V1_ISSUER_CHINA = 'https://sts.chinacloudapi.cn';
const CHINA = /^https:\/\/login\.(?:partner\.microsoftonline|chinacloudapi)\.cn$/;

const withAndWithoutSlash = (audience: string): string[] => [audience, `${audience.replace(/\/$/, '')}/`];

/**
 * Microsoft Entra ID as the issuer of access tokens of version 1.0 and 2.0 (S5.5). Which version an app gets is up to its
 * registration; both are signed with the tenant's keys.
 */
export function entraIssuers(app: EntraApp): TokenIssuer[] {
  const { authority, tenantId } = app;
  const keys = remoteKeys(new URL(`${authority}/${tenantId}/discovery/v2.0/keys`), app.onFault);
  const v1 = CHINA.test(authority) ? V1_ISSUER_CHINA : V1_ISSUER;
  return [
    entraIssuer(app, { issuer: `${v1}/${tenantId}/`, version: '1.0' }, keys),
    entraIssuer(app, { issuer: `${authority}/${tenantId}/v2.0`, version: '2.0' }, keys),
  ];
}

/** The address that tells a client where to sign in. */
export const authorizationUri = ({ authority, tenantId }: Pick<EntraApp, 'authority' | 'tenantId'>): string =>
  `${authority}/${tenantId}`;

function entraIssuer(
  app: EntraApp,
  { issuer, version }: { readonly issuer: string; readonly version: '1.0' | '2.0' },
  keys: TokenKeys,
): TokenIssuer {
  const own = [`api://${app.clientId}`, app.clientId, ...app.audiences].flatMap(withAndWithoutSlash);
  const foreign = (plane: Plane): string[] =>
    app.accepted
      .map((name) => FOREIGN_AUDIENCES[name])
      .filter((one) => one.plane === plane)
      .flatMap(({ audience }) => withAndWithoutSlash(audience));
  return {
    issuer,
    keys,
    audiences: { scoring: own, management: own },
    foreignAudiences: { scoring: foreign('scoring'), management: foreign('management') },
    check(claims, isForeign) {
      if (claims.ver !== version) throw invalidToken(`A token of this issuer must be of version ${version}.`);
      if (claims.tid !== app.tenantId) throw invalidToken('The token is of another tenant.');
      // Which client asked is in every access token, and in no id token.
      if ((version === '1.0' ? claims.appid : claims.azp) === undefined)
        throw invalidToken('The token is not an access token.');
      if (!isForeign) checkScope(claims);
    },
  };
}

function checkScope(claims: Claims): void {
  if (isPersons(claims) && !(claims.scp ?? '').split(' ').includes(SCOPE))
    throw new ApiError(403, 'AuthorizationFailed', `The token does not have the scope '${SCOPE}' of this app.`);
}
