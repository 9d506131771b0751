import type { TableClient } from '@azure/data-tables';
import { z } from 'zod';
import type { Log } from '../log.ts';
import { createOutage } from '../outage.ts';

// No instance id is written like this: its tildes come in pairs around hex digits.
const key = { partitionKey: '~hub', rowKey: 'owner' };
const ownerRow = z.object({ owner: z.string() });
const checkEveryMs = 1000;

export interface HubOwner {
  /** Stops looking. */
  release(): void;
}

/**
 * Makes this host the only one on its hub: the newest host wins, and an older one, which looks at this row once a
 * second, hears of it and must stop. A lease would be safer by itself, but a host that was killed could not start
 * again before its own lease had run out; that an older host does harm in its last second is prevented by the etags
 * of the heads (tables-store.ts).
 */
export async function ownHub(client: TableClient, owner: string, log: Log, onLost: () => void): Promise<HubOwner> {
  await client.upsertEntity({ ...key, owner, since: new Date().toISOString() }, 'Replace');
  let checking = false;
  const outage = createOutage('The task hub', log);

  async function check(): Promise<void> {
    checking = true;
    try {
      const row = ownerRow.parse(await client.getEntity(key.partitionKey, key.rowKey));
      outage.end();
      if (row.owner === owner) return;
      clearInterval(timer);
      onLost();
    } catch (error) {
      // Nobody knows then whose the hub is: the next look decides.
      outage.begin(error);
    } finally {
      checking = false;
    }
  }

  const timer = setInterval(() => {
    if (!checking) void check();
  }, checkEveryMs);
  timer.unref();
  return { release: () => clearInterval(timer) };
}
