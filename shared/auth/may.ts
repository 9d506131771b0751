import { ApiError } from '../domain/errors.ts';
import type { Principal } from './principal.ts';
import { APP_ROLES, ROLES, type Role } from './roles.ts';

/** What a route does (shared/api/route-table.ts). */
export type Action =
  | 'workspace/read'
  | 'jobs/read'
  | 'jobs/submit'
  /** Cancel, salvage, and what a job says of itself. */
  | 'jobs/change'
  | 'data/write'
  /** Keys and signatures for containers. */
  | 'datastores/listSecrets'
  /** Where the app reads and writes, and with how many instances. */
  | 'workspace/write'
  /** Whatever brings a model, code or a command, and what is scored with it: it runs as the app (S6.1). */
  | 'deployments/write';

/** What an action is done to; what is absent is not about one endpoint, or not about a job. */
export interface Resource {
  readonly endpoint?: string | undefined;
  /** The subject that a job belongs to. */
  readonly createdBy?: string | undefined;
}

/** Jobs of anybody, or the caller's own. */
type Reach = 'all' | 'own';

type Rights = Partial<Readonly<Record<Action, Reach>>>;

const READ: Rights = { 'workspace/read': 'all', 'jobs/read': 'all' };

const OPERATE: Rights = {
  ...READ,
  'jobs/submit': 'all',
  'jobs/change': 'all',
  'data/write': 'all',
  'datastores/listSecrets': 'all',
};

const RIGHTS: Readonly<Record<Role, Rights>> = {
  reader: READ,
  invoker: { 'workspace/read': 'all', 'jobs/submit': 'all', 'jobs/read': 'own', 'jobs/change': 'own' },
  operator: OPERATE,
  owner: { ...OPERATE, 'workspace/write': 'all', 'deployments/write': 'all' },
};

/** What may be tried without naming an endpoint by somebody whose role is on one: each job and endpoint is checked when it is read. */
const CHECKED_ONE_BY_ONE: readonly Action[] = ['workspace/read', 'jobs/read', 'jobs/change'];

const isSame = (one: string, other: string | undefined): boolean => one.toLowerCase() === other?.toLowerCase();

/** How far the caller's roles reach for an action on an endpoint, or on what is no endpoint's. */
function reaches(principal: Principal, action: Action, endpoint: string | undefined): Reach[] {
  return principal.grants
    .filter((grant) => grant.endpoint === undefined || isSame(grant.endpoint, endpoint))
    .flatMap(({ role }) => RIGHTS[role][action] ?? []);
}

/** Whether a caller may do this to that. The one place where it is decided. */
export function may(principal: Principal, action: Action, { endpoint, createdBy }: Resource): boolean {
  return reaches(principal, action, endpoint).some((reach) => reach === 'all' || createdBy === principal.subject);
}

/** Whether a request may go on to where its job is known: false when no job could make it allowed. */
export function mayTry(principal: Principal, action: Action, endpoint: string | undefined): boolean {
  if (reaches(principal, action, endpoint).length > 0) return true;
  if (endpoint !== undefined || !CHECKED_ONE_BY_ONE.includes(action)) return false;
  return principal.grants.some(({ role }) => RIGHTS[role][action] !== undefined);
}

/** The same for what is there and what is not. */
export function forbidden(action: Action): ApiError {
  const roles = ROLES.filter((role) => RIGHTS[role][action] !== undefined).map((role) => APP_ROLES[role]);
  return new ApiError(
    403,
    'AuthorizationFailed',
    `The caller has no role that allows '${action}' here. It takes ${roles.join(' or ')}.`,
  );
}
