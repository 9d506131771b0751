import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import type { Caller } from '../../auth/caller.ts';
import { identityNotAvailable } from '../../auth/on-behalf-of.ts';
import { JobFault } from '../../domain/errors.ts';
import type { DatastoreAddress } from '../../domain/uri.ts';
import type { TokenSource } from '../../storage/connection.ts';
import { readJson } from '../../storage/json-blobs.ts';
import { StorageFault, type Blobs } from '../../storage/ports.ts';
import { JOBS_CONTAINER } from '../../storage/registry/jobs.ts';
import type { KeyWrapping } from '../../storage/sealing/key-wrapping.ts';
import { seal, SealedText, unseal } from '../../storage/sealing/sealed-text.ts';
import type { SignContainers } from '../../storage/user-delegation.ts';
import type { Clock, Log } from '../ports.ts';
import { WAIT } from '../sweep-times.ts';

/** The data's storage as the invoker of a job may use it. */
export interface JobStorage {
  readonly input: Blobs;
  readonly output: Blobs;
}

export interface DelegationRequest {
  readonly job: string;
  readonly caller: Caller;
  readonly input: DatastoreAddress;
  readonly output: DatastoreAddress;
}

/** The access of people that their jobs run with. Jobs hold ids alone. */
export interface Delegations {
  /**
   * Exchanges the caller's token and keeps, sealed, what the job needs to read and write as the caller. Answers its id. Throws
   * ApiError 400 `IdentityNotAvailable` where that cannot be had, and keeps nothing then.
   */
  make(request: DelegationRequest): Promise<string>;
  /** Kept in memory for a few minutes. Throws JobFault once it was removed. */
  open(job: string, id: string): Promise<JobStorage>;
  /** Again: nothing. */
  remove(id: string): Promise<void>;
  /** Removes what storage would not take any more, and no job has removed: a process died between the two. */
  removeExpired(): Promise<void>;
}

export interface DelegationDeps {
  /** The app's own. */
  readonly blobs: Blobs;
  readonly wrapping: KeyWrapping;
  /** A credential of whom a token was given to; absent where the app cannot exchange tokens. */
  readonly exchange?: ((token: string) => TokenSource) | undefined;
  readonly sign: SignContainers;
  /** Storage at an address whose query is a signature. */
  open(serviceUri: string): Blobs;
  readonly clock: Clock;
  readonly log: Log;
}

/**
 * How long a job can read and write: until the sweeper ends it, six days after it was made, and what is under way then. A user
 * delegation key lives seven days at most.
 */
export const DELEGATED_MS = WAIT.blocks + WAIT.activity + WAIT.cancel + WAIT.purge;

/** What a job may read is listed and read. What it writes is looked for before and after, and an errors file without lines removed. */
const PERMISSIONS = { input: 'rl', output: 'rcwd' } as const;

/** The code of a job that has lost its invoker's access. */
export const ACCESS_ENDED = 'AccessEnded';

/** How long an opened access stays in memory: other instances than the one that ends a job forget it by themselves. */
const OPEN_MS = 5 * 60_000;

/** No job has a name like this. */
const FOLDER = '_access/';

/** Metadata that say, in milliseconds since 1970, until when an access is good. */
const UNTIL_MARK = 'batchpoint_until';

const Access = z.object({ input: z.string(), output: z.string() });

export function delegations(deps: DelegationDeps): Delegations {
  const opened = new Map<string, { readonly until: number; readonly storage: Promise<JobStorage> }>();
  const refOf = (id: string) => ({ container: JOBS_CONTAINER, name: `${FOLDER}${id}.json` });
  const contextOf = (job: string, id: string) => `${job}/${id}`;

  async function read(job: string, id: string): Promise<JobStorage> {
    const sealed = await readJson(deps.blobs, refOf(id), SealedText);
    if (!sealed) throw new JobFault(ACCESS_ENDED, "The access that the job's invoker lent to it was ended.");
    const access = Access.parse(JSON.parse(await unseal(deps.wrapping, sealed, contextOf(job, id))));
    return { input: deps.open(access.input), output: deps.open(access.output) };
  }

  function forgetOld(): void {
    for (const [id, { until }] of opened) if (until <= deps.clock.now()) opened.delete(id);
  }

  return {
    async make({ job, caller, input, output }) {
      const { exchange, clock } = deps;
      if (!exchange) throw identityNotAvailable('the app is not set up to exchange tokens (see docs/security.md)');
      if (!('token' in caller.person)) throw identityNotAvailable(caller.person.reason);
      const far = [input, output].find(({ endpoint }) => !endpoint.startsWith('https:'));
      if (far) throw identityNotAvailable(`datastore '${far.name}' is not reached by https`);
      const uses = [
        { ...input, permissions: PERMISSIONS.input },
        { ...output, permissions: PERMISSIONS.output },
      ];
      const now = clock.now();
      const until = now + DELEGATED_MS;
      const [read = '', write = ''] = await deps
        .sign(exchange(caller.person.token), uses, now, until)
        .catch((error: unknown) => {
          throw refusal(error) ?? error;
        });
      const access = { input: `${input.endpoint}?${read}`, output: `${output.endpoint}?${write}` };
      const id = randomUUID();
      const sealed = await seal(deps.wrapping, JSON.stringify(access), contextOf(job, id));
      await deps.blobs.write(refOf(id), new TextEncoder().encode(JSON.stringify(sealed)), {
        ifNoneMatch: '*',
        contentType: 'application/json',
        metadata: { [UNTIL_MARK]: String(until) },
      });
      const places = { input: input.name, output: output.name, until: new Date(until).toISOString() };
      deps.log.info({ job, caller: caller.subject, ...places }, 'a job was lent the access of its caller');
      return id;
    },

    async open(job, id) {
      forgetOld();
      const known = opened.get(id) ?? { until: deps.clock.now() + OPEN_MS, storage: read(job, id) };
      opened.set(id, known);
      try {
        return await known.storage;
      } catch (error) {
        opened.delete(id);
        throw error;
      }
    },

    async removeExpired() {
      for await (const { name, metadata } of deps.blobs.list(JOBS_CONTAINER, { prefix: FOLDER }))
        if (Number(metadata[UNTIL_MARK]) <= deps.clock.now())
          await deps.blobs.remove({ container: JOBS_CONTAINER, name });
    },

    async remove(id) {
      opened.delete(id);
      await deps.blobs.remove(refOf(id));
    },
  };
}

/** Storage knows the caller and refuses the key. */
const refusal = (error: unknown) =>
  error instanceof StorageFault && (error.status === 401 || error.status === 403)
    ? identityNotAvailable(
        `storage refuses the caller a user delegation key (${error.code}); the role Storage Blob Delegator on the account allows it`,
      )
    : undefined;
