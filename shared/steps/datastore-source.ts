import type { DatastorePlace } from '../domain/resources.ts';
import type { UriRules, WorkspaceAddress } from '../domain/uri.ts';
import { allRecords } from '../storage/registry/collection.ts';
import type { Registry } from '../storage/registry/resources.ts';
import type { Datastore } from './deps.ts';
import type { Clock } from './ports.ts';

/** The workspace's datastores: those of the app's settings, then those that requests made (decision 8). */
export interface Datastores {
  /** The first of the settings: where outputs and uploads go that the caller did not place. */
  readonly default: Datastore;
  /** One of the settings, by name in any case. */
  configured(name: string): Datastore | undefined;
  /** All of them, the default first. What another instance made or removed shows within five seconds. */
  list(): Promise<readonly Datastore[]>;
  /** By name in any case; one that another instance just made, too. */
  find(name: string): Promise<Datastore | undefined>;
  /** A container as a datastore; undefined when the settings do not let the app into its account. */
  open(name: string, place: DatastorePlace): Datastore | undefined;
  /** Told by whoever has written a record of a datastore: the next question reads them again. */
  changed(): void;
}

export interface DatastoreSourceDeps {
  /** The first is the default one. */
  readonly configured: readonly Datastore[];
  readonly registry: Pick<Registry, 'datastores'>;
  readonly open: Datastores['open'];
  readonly clock: Clock;
}

/** Often enough for people, seldom enough for a busy app: one query of a partition that holds a handful of rows. */
const FRESH_MS = 5_000;

export function datastoreSource({ configured, registry, open, clock }: DatastoreSourceDeps): Datastores {
  const [first] = configured;
  if (!first) throw new Error('no datastore is configured');
  let known: { readonly until: number; readonly stores: Promise<readonly Datastore[]> } | undefined;

  const configuredOf = (name: string): Datastore | undefined => named(configured, name);

  async function read(): Promise<readonly Datastore[]> {
    const stores = [...configured];
    for await (const { name, place } of allRecords(registry.datastores, [] as const)) {
      const store = place && !configuredOf(name) ? open(name, place) : undefined;
      if (store) stores.push(store);
    }
    return stores;
  }

  async function list(): Promise<readonly Datastore[]> {
    const now = clock.now();
    const current = known && now < known.until ? known : { until: now + FRESH_MS, stores: read() };
    known = current;
    try {
      return await current.stores;
    } catch (error) {
      if (known === current) known = undefined;
      throw error;
    }
  }

  return {
    default: first,
    configured: configuredOf,
    list,
    async find(name) {
      const found = configuredOf(name) ?? named(await list(), name);
      if (found) return found;
      known = undefined;
      return named(await list(), name);
    },
    open,
    changed: () => {
      known = undefined;
    },
  };
}

export interface RulesDeps {
  readonly workspace: WorkspaceAddress;
  readonly datastores: Pick<Datastores, 'list'>;
}

/** Where a caller's URIs may lead now. */
export async function uriRules({ workspace, datastores }: RulesDeps): Promise<UriRules> {
  return { workspace, datastores: (await datastores.list()).map(({ address }) => address) };
}

const named = (stores: readonly Datastore[], name: string): Datastore | undefined =>
  stores.find(({ address }) => address.name.toLowerCase() === name.toLowerCase());
