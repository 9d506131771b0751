import { containerFault } from './container-names.ts';
import { badRequest } from './errors.ts';
import { elsewhere, MAX_URI, parseDataUri, type DatastoreAddress, type WorkspaceAddress } from './uri.ts';

/** What a caller's signature is used for: one input that is read, or one output that is written. */
export type SignedPart = 'input' | 'output';

/** A text without its signature (a query without `?`), which is kept apart from here on. */
export interface CutUrl {
  readonly bare: string;
  readonly signature: string;
}

/** Cuts the signature off a URL that carries one. Any other query stays, and is refused where the URI is read. */
export function cutSignature(uri: string): CutUrl | undefined {
  const at = uri.indexOf('?');
  if (at < 0 || !/^https?:/i.test(uri) || !/[?&]sig=/i.test(uri.slice(at))) return undefined;
  return { bare: uri.slice(0, at), signature: uri.slice(at + 1) };
}

/** An account whose containers a signature may open. */
export type Account = Pick<DatastoreAddress, 'account' | 'endpoint'>;

export interface SignedUse {
  readonly part: SignedPart;
  readonly kind: 'UriFile' | 'UriFolder';
  /** Names the field in faults. */
  readonly target: string;
  /** In milliseconds: the signature has to be good from now until then. */
  readonly now: number;
  readonly until: number;
}

/** Fields of a service or user delegation SAS (S4.3). Others would change the request: `comp`, `snapshot`, `rscd`, an account SAS. */
const FIELDS: ReadonlySet<string> = new Set(
  'sv sr sp st se spr sip sig sdd skoid sktid skt ske sks skv saoid suoid scid'.split(' '),
);

/** The container and the path that a signed URL leads to, checked like any other URI, and the signature checked and written anew. */
export interface SignedPlace {
  readonly address: Omit<DatastoreAddress, 'name'>;
  readonly path: string;
  readonly query: string;
}

/**
 * Reads a signed URL: the place by the rules of `parseDataUri`, but in any container for data of a listed account, since the caller's
 * own rights open it; the signature has to be of that container, give what the job needs, and live as long as the job may. Nothing of
 * the signature is in a fault. Throws ApiError 400, 403.
 */
export function parseSignedUrl(
  { bare, signature }: CutUrl,
  accounts: readonly Account[],
  workspace: WorkspaceAddress,
  use: SignedUse,
): SignedPlace {
  if (bare.length + signature.length >= MAX_URI)
    throw badRequest(`A URI may have at most ${MAX_URI} characters.`, use.target);
  const address = addressOf(bare, accounts);
  if (!address) throw elsewhere(bare, use.target);
  const { path } = parseDataUri(bare, { workspace, datastores: [{ name: 'signed', ...address }] }, use.target);
  return { address, path, query: checkedQuery(signature, use) };
}

/** The container of a listed account that a URL begins with. Undefined also for a container that no caller may address (S4.1). */
function addressOf(bare: string, accounts: readonly Account[]): SignedPlace['address'] | undefined {
  for (const { account, endpoint } of accounts)
    for (const base of [`${endpoint}/`, `${endpoint.replace('.blob.', '.dfs.')}/`]) {
      if (bare.slice(0, base.length).toLowerCase() !== base.toLowerCase()) continue;
      const container = bare.slice(base.length).split('/')[0] ?? '';
      if (containerFault(container) === undefined) return { account, container, endpoint };
    }
  return undefined;
}

function checkedQuery(signature: string, { part, kind, target, now, until }: SignedUse): string {
  const refuse = (why: string): never => {
    throw badRequest(`The signature of the ${part}'s URL ${why}.`, target);
  };
  const fields = new Map<string, string>();
  for (const [name, value] of new URLSearchParams(signature.replaceAll('+', '%2B'))) {
    if (!FIELDS.has(name) || !/^[\x21-\x7e]+$/.test(value))
      refuse(
        'may only have the fields of a service or user delegation SAS, without a stored policy and without overrides',
      );
    if (fields.has(name)) refuse(`has '${name}' twice`);
    fields.set(name, value);
  }
  for (const name of ['sv', 'sr', 'sp', 'se', 'sig']) if (!fields.has(name)) refuse(`has no '${name}'`);
  // What a job writes is looked for before and after, and an errors file without lines is removed.
  const needed = part === 'output' ? 'rwd' : kind === 'UriFolder' ? 'rl' : 'r';
  const given = fields.get('sp') ?? '';
  if ([...needed].some((right) => !given.includes(right)))
    refuse(`must give the rights '${needed}' (sp), and gives others`);
  const scopes = part === 'output' || kind === 'UriFolder' ? ['c', 'd'] : ['b', 'c', 'd'];
  if (!scopes.includes(fields.get('sr') ?? '')) refuse('must be for a container or a directory (sr=c, sr=d)');
  for (const name of ['st', 'skt']) {
    const from = timeOf(fields.get(name));
    if (from !== undefined && !(from <= now)) refuse(`is not good yet (${name})`);
  }
  for (const name of ['se', 'ske']) {
    const end = timeOf(fields.get(name));
    if (end !== undefined && !(end >= until))
      refuse(`must be good for as long as a job may take, until ${new Date(until).toISOString()} (${name})`);
  }
  return [...fields].map(([name, value]) => `${name}=${encodeURIComponent(value)}`).join('&');
}

/** Milliseconds; NaN for what is no time. */
const timeOf = (text: string | undefined): number | undefined => (text === undefined ? undefined : Date.parse(text));
