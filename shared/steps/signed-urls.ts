import { z } from 'zod';
import { badRequest } from '../domain/errors.ts';
import type { Invocation } from '../domain/invocation.ts';
import { keepNewest } from '../domain/keep-newest.ts';
import { cutSignature, parseSignedUrl, type Account, type CutUrl, type SignedPart } from '../domain/signed-url.ts';
import type { DatastoreAddress, WorkspaceAddress } from '../domain/uri.ts';
import type { Blobs } from '../storage/ports.ts';
import type { JobSecrets } from '../storage/registry/job-secrets.ts';
import type { Datastores } from './datastore-source.ts';
import type { Datastore } from './deps.ts';
import { isFolder, MAX_OUTPUT_PATH } from './job-places.ts';
import type { Clock } from './ports.ts';
import { WAIT } from './sweep-times.ts';

/** The signatures that callers send in the URLs of their jobs: no job, log or history ever holds one. */
export interface SignedUrls {
  /**
   * Keeps the signature of a job's input or output, sealed. `asked.uri` is the URL without it. Throws ApiError 400, 403 for one that
   * the job could not use, and keeps nothing then.
   */
  check(part: SignedPart, asked: SignedAsked, signature: string): PendingSignature;
  /** The container that a kept signature opens, by the name of `signedStore`; undefined for any other name. */
  store(name: string): Promise<Datastore | undefined>;
}

export type SignedAsked = Pick<Invocation['inputData'], 'name' | 'kind' | 'uri'>;

/** A signature that was found good for a job that is not made yet. */
export interface PendingSignature {
  keep(job: string): Promise<void>;
}

export interface SignedUrlDeps {
  readonly secrets: JobSecrets;
  /** Those that the settings name. */
  readonly accounts: readonly Account[];
  readonly workspace: WorkspaceAddress;
  /** Storage at an address whose query is a signature. */
  open(serviceUri: string): Blobs;
  readonly clock: Clock;
}

const STORE = /^signed:([^:]+):(input|output)$/;

/** No datastore can have such a name: it is known to the plan of one job alone. */
export const signedStore = (job: string, part: SignedPart): string => `signed:${job}:${part}`;
export const isSignedStore = (name: string): boolean => STORE.test(name);

const Kept = z.object({ account: z.string(), container: z.string(), endpoint: z.string(), query: z.string() });

/** Stores in memory; every file of a job asks for its job's. */
const STORES_IN_MEMORY = 64;

export function signedUrls({ secrets, accounts, workspace, open, clock }: SignedUrlDeps): SignedUrls {
  const opened = new Map<string, Datastore>();

  async function read(name: string, job: string, part: string): Promise<Datastore | undefined> {
    const text = await secrets.read(job, part);
    if (text === undefined) return undefined;
    const { query, ...address } = Kept.parse(JSON.parse(text));
    return { address: { name, ...address }, blobs: open(`${address.endpoint}?${query}`) };
  }

  return {
    check(part, asked, signature) {
      const { kind, uri } = asked;
      const target = targetOf(part, asked);
      const now = clock.now();
      const use = { part, kind, target, now, until: now + WAIT.blocks };
      const { address, path, query } = parseSignedUrl({ bare: uri, signature }, accounts, workspace, use);
      if (kind === 'UriFile' && isFolder(path))
        throw badRequest(`An ${part} of type UriFile must name a file; use UriFolder for a folder.`, target);
      if (part === 'output' && path.length > MAX_OUTPUT_PATH)
        throw badRequest(`An output path may have at most ${MAX_OUTPUT_PATH} characters.`, target);
      return { keep: (job) => secrets.keep(job, part, JSON.stringify({ ...address, query })) };
    },

    async store(name) {
      const [, job = '', part = ''] = STORE.exec(name) ?? [];
      if (job === '') return undefined;
      const known = opened.get(name) ?? (await read(name, job, part));
      if (known) keepNewest(opened, name, known, STORES_IN_MEMORY);
      return known;
    },
  };
}

/** Datastores that also find, by name alone, what a job's signed URLs open. They are in no list: no caller's URI leads to them. */
export const withSignedUrls = (datastores: Datastores, signed: Pick<SignedUrls, 'store'>): Datastores => ({
  ...datastores,
  find: async (name) => (await signed.store(name)) ?? datastores.find(name),
});

type Signatures = Readonly<Partial<Record<SignedPart, string>>>;

/**
 * The signatures that an invocation came with, found good. Throws ApiError 400, 403; 400 also where none are taken: from queues and
 * steps of pipelines, and for jobs that run as their invoker, who needs none.
 */
export function checkSignatures(
  signed: Pick<SignedUrls, 'check'> | undefined,
  { inputData, outputData }: Invocation,
  signatures: Signatures,
): Readonly<Partial<Record<SignedPart, PendingSignature>>> {
  const pending = (part: SignedPart, asked: SignedAsked | null): PendingSignature | undefined => {
    const signature = signatures[part];
    if (!asked || signature === undefined) return undefined;
    if (!signed)
      throw badRequest(
        'Signed URLs are taken from clients that invoke a deployment themselves, and where its jobs run as the app.',
        targetOf(part, asked),
      );
    return signed.check(part, asked, signature);
  };
  const input = pending('input', inputData);
  const output = pending('output', outputData);
  return { ...(input && { input }), ...(output && { output }) };
}

const targetOf = (part: SignedPart, { name }: SignedAsked): string => `properties.${part}Data.${name}.uri`;

/** An invocation without the signatures of its URLs, and those. */
export function withoutSignatures(invocation: Invocation): {
  readonly invocation: Invocation;
  readonly signatures: Signatures;
} {
  const { inputData, outputData } = invocation;
  const input = cutSignature(inputData.uri);
  const output = outputData ? cutSignature(outputData.uri) : undefined;
  return {
    invocation: {
      ...invocation,
      inputData: { ...inputData, ...bare(input) },
      outputData: outputData && { ...outputData, ...bare(output) },
    },
    signatures: {
      ...(input && { input: input.signature }),
      ...(output && { output: output.signature }),
    },
  };
}

const bare = (cut: CutUrl | undefined): { uri?: string } => (cut ? { uri: cut.bare } : {});

/** A signed store's blob as its caller knows it, without the signature. */
export const plainUrl = ({ endpoint, container }: DatastoreAddress, path: string): string =>
  `${endpoint}/${container}/${path.split('/').map(encodeURIComponent).join('/')}`;
