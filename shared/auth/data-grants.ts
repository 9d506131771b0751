import { z } from 'zod';
import { ACCESSES, type Access, type DeclaredPlace } from '../domain/declared-data.ts';
import { badBlobName } from '../domain/uri.ts';
import type { Principal } from './principal.ts';
import { ROLES, type Role } from './roles.ts';

/** All datastores, or the jobs of all deployments. */
const ALL = '*';

const DataGrant = z
  .strictObject({
    role: z.enum(ROLES).optional(),
    principal: z.guid().toLowerCase().optional(),
    /** `endpoint/deployment`: whoever invokes it, queues and watches too. */
    deployment: z
      .string()
      .regex(/^(?:\*|[^/*]+\/[^/*]+)$/, 'must be endpoint/deployment, or * for all')
      .optional(),
    datastore: z.string().min(1),
    prefix: z
      .string()
      .refine((text) => text === '' || (badBlobName(text) === undefined && !text.startsWith('/')), {
        error: 'must be a folder such as incoming/, without a slash at its beginning',
      })
      .default(''),
    access: z.array(z.enum(ACCESSES)).min(1),
  })
  .refine(({ role, principal, deployment }) => [role, principal, deployment].filter(Boolean).length === 1, {
    error: 'must have one of role, principal and deployment',
  });
export type DataGrant = z.infer<typeof DataGrant>;

/** The setting BATCHPOINT_GRANTS: for whom the app reads and writes where, beside what deployments declare. */
export const DataGrants = z.array(DataGrant);

/** Something that a job is to read or to write. */
export interface DataUse {
  readonly access: Access;
  /** All names under which the place's container is a datastore. */
  readonly datastores: readonly string[];
  /** A folder ends with a slash, and is empty for the whole container. */
  readonly path: string;
  /** Absent for a job of no deployment. */
  readonly deployment?: DeploymentData | undefined;
}

/** A deployment with the places that it declares. */
export interface DeploymentData {
  readonly endpoint: string;
  readonly name: string;
  readonly declared: readonly DeclaredPlace[];
}

/** These have signatures for whole containers (datastores/listSecrets), so that a limit here would be none. */
const FREE: readonly Role[] = ['operator', 'owner'];

const isSame = (one: string, other: string | undefined): boolean => one.toLowerCase() === other?.toLowerCase();

/**
 * Whether the app may lend its rights to a job for this. `principal`: who asks; undefined for queues and watches, whose jobs have
 * what their deployment has. The one place where it is decided (S4.2).
 */
export function mayUseData(grants: readonly DataGrant[], principal: Principal | undefined, use: DataUse): boolean {
  const { access, datastores, path, deployment } = use;
  const roles = (principal?.grants ?? []).filter(
    ({ endpoint }) => endpoint === undefined || isSame(endpoint, deployment?.endpoint),
  );
  if (roles.some(({ role, endpoint }) => endpoint === undefined && FREE.includes(role))) return true;
  const isFor = (grant: DataGrant): boolean => {
    if (grant.role !== undefined) return roles.some(({ role }) => role === grant.role);
    if (grant.principal !== undefined) return isSame(grant.principal, principal?.objectId);
    return (
      deployment !== undefined &&
      (grant.deployment === ALL || isSame(`${deployment.endpoint}/${deployment.name}`, grant.deployment))
    );
  };
  const declared = deployment?.declared.filter((place) => place.access === access) ?? [];
  return [...declared, ...grants.filter((grant) => grant.access.includes(access) && isFor(grant))].some(
    ({ datastore, prefix }) =>
      (datastore === ALL || datastores.some((name) => isSame(name, datastore))) && isBelow(path, prefix),
  );
}

/** `data` is not over `data2`. */
const isBelow = (path: string, prefix: string): boolean =>
  prefix === '' || prefix.endsWith('/') ? path.startsWith(prefix) : path === prefix || path.startsWith(`${prefix}/`);
