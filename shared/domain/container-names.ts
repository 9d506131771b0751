/** What may be the container of a datastore. */

const CONTAINER = /^[a-z0-9](?:[a-z0-9]|-(?=[a-z0-9])){2,62}$/;

/** Storage's rule for names; `$root`, `$web`, `$logs` and the like do not fit it. */
export const CONTAINER_NAME_RULE =
  'must have 3 to 63 characters: lower-case letters, digits and single hyphens between them';

/** The app's own, the host's (keys, leases, packages) and those of task hubs: who writes there, writes code (S4.1). */
const RESERVED = [
  /^batchpoint-/,
  /^azure-webjobs-/,
  /^app-package-/,
  /^(scm|function)-releases$/,
  /-(largemessages|leases|applease)$/,
];

/** Why a container cannot be one of data; undefined for one that can. */
export function containerFault(name: string): string | undefined {
  if (!CONTAINER.test(name)) return CONTAINER_NAME_RULE;
  if (RESERVED.some((pattern) => pattern.test(name)))
    return 'may not be a container of the app, of its host or of a task hub';
  return undefined;
}
