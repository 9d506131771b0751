import { z } from 'zod';

export const ROLES = ['reader', 'invoker', 'operator', 'owner'] as const;
export type Role = (typeof ROLES)[number];

/** A role everywhere, or on one endpoint and its jobs. */
export interface Grant {
  readonly role: Role;
  readonly endpoint?: string;
}

/** The app roles of the registration, as the `roles` of a token name them. */
export const APP_ROLES: Readonly<Record<Role, string>> = {
  reader: 'Batchpoint.Reader',
  invoker: 'Batchpoint.Invoker',
  operator: 'Batchpoint.Operator',
  owner: 'Batchpoint.Owner',
};

/** What a token's own roles give. Names of other apps' roles give nothing. */
export const grantsOfRoles = (names: readonly string[]): Grant[] =>
  ROLES.filter((role) => names.includes(APP_ROLES[role])).map((role) => ({ role }));

const Roles = z.array(z.enum(ROLES));

const Assignment = z
  .union([
    Roles.transform((roles) => ({ roles, endpoints: {} })),
    z.strictObject({
      roles: Roles.default([]),
      endpoints: z.record(z.string().min(1), Roles).default({}),
    }),
  ])
  .transform(({ roles, endpoints }): Grant[] => [
    ...roles.map((role) => ({ role })),
    ...Object.entries(endpoints).flatMap(([endpoint, given]) => given.map((role) => ({ role, endpoint }))),
  ]);

/**
 * Who has which role by the app's settings, by object id: `{"<oid>": ["owner"]}`, or for single endpoints
 * `{"<oid>": {"endpoints": {"heart": ["invoker"]}}}`.
 */
export const Assignments = z
  .record(z.guid(), Assignment)
  .transform((given) => new Map(Object.entries(given).map(([oid, grants]) => [oid.toLowerCase(), grants])));
export type Assignments = z.infer<typeof Assignments>;
