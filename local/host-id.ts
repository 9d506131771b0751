import { createHash } from 'node:crypto';
import { hostname } from 'node:os';

/**
 * Names this host in storage (receipts, timers, the blob triggers' queue): the setting AzureFunctionsWebHost__hostid,
 * else made from the machine and the app's folder, as the real host does locally. At most 32 of a-z, 0-9 and `-`.
 */
export function hostIdOf(root: string, env: NodeJS.ProcessEnv): string {
  const named = env['AzureFunctionsWebHost__hostid'];
  if (named !== undefined && named !== '') {
    if (/^[a-z0-9](-?[a-z0-9]){0,31}$/.test(named) && named.length <= 32) return named;
    throw new Error(`AzureFunctionsWebHost__hostid must be 1 to 32 of a-z, 0-9 and single '-', not '${named}'.`);
  }
  const machine = hostname()
    .toLowerCase()
    .replace(/[^a-z0-9]/g, '');
  const folder = createHash('sha256').update(root).digest('hex').slice(0, 10);
  return `${machine.slice(0, 20) || 'local'}-${folder}`;
}
