import { describe, expect, it } from 'vitest';
import { forbidden, may, mayTry, type Action } from '../../../shared/auth/may.ts';
import type { Principal } from '../../../shared/auth/principal.ts';
import { Assignments, grantsOfRoles, ROLES, type Grant } from '../../../shared/auth/roles.ts';

const OID = '00000000-0000-4000-8000-00000000000A';
const someone = (...grants: Grant[]): Principal => ({
  ...{ subject: 't:me', tenantId: 't', objectId: 'me', kind: 'person' },
  grants,
});
const ACTIONS: readonly Action[] = [
  ...(['workspace/read', 'jobs/read', 'jobs/submit', 'jobs/change'] as const),
  ...(['data/write', 'datastores/listSecrets', 'workspace/write', 'deployments/write'] as const),
];

const mine = { endpoint: 'heart', createdBy: 't:me' };
const others = { endpoint: 'heart', createdBy: 't:other' };
const allowed = (principal: Principal, resource: object): string[] =>
  ACTIONS.filter((action) => may(principal, action, resource));

describe('a role', () => {
  it.each([
    ['reader', ['workspace/read', 'jobs/read'], ['workspace/read', 'jobs/read']],
    ['invoker', ['workspace/read', 'jobs/read', 'jobs/submit', 'jobs/change'], ['workspace/read', 'jobs/submit']],
    ['operator', ACTIONS.slice(0, 6), ACTIONS.slice(0, 6)],
    ['owner', ACTIONS, ACTIONS],
  ] as const)('%s allows %j of own jobs and %j of others', (role, ofMine, ofOthers) => {
    expect(allowed(someone({ role }), mine)).toEqual(ofMine);
    expect(allowed(someone({ role }), others)).toEqual(ofOthers);
  });

  it('adds to another, and none allows nothing', () => {
    expect(allowed(someone({ role: 'reader' }, { role: 'invoker' }), others)).toEqual([
      ...['workspace/read', 'jobs/read', 'jobs/submit'],
    ]);
    expect(allowed(someone(), mine)).toEqual([]);
  });

  it.each(ROLES)('%s on one endpoint allows nothing elsewhere', (role) => {
    const scoped = someone({ role, endpoint: 'Heart' });
    expect(allowed(scoped, mine)).toEqual(allowed(someone({ role }), mine));
    expect(allowed(scoped, { ...mine, endpoint: 'other' })).toEqual([]);
    expect(allowed(scoped, { createdBy: 't:me' })).toEqual([]);
  });

  it('on one endpoint may try what is checked one by one, without naming it', () => {
    const scoped = someone({ role: 'owner', endpoint: 'heart' });
    const tried = (endpoint?: string) => ACTIONS.filter((action) => mayTry(scoped, action, endpoint));
    expect([tried(), tried('HEART'), tried('other')]).toEqual([
      ['workspace/read', 'jobs/read', 'jobs/change'],
      ACTIONS,
      [],
    ]);
    expect(mayTry(someone({ role: 'reader', endpoint: 'heart' }), 'jobs/change', undefined)).toBe(false);
  });
});

it('a refusal says what it would take, and nothing of what was asked for', () => {
  expect(forbidden('jobs/submit')).toMatchObject({
    status: 403,
    code: 'AuthorizationFailed',
    message:
      "The caller has no role that allows 'jobs/submit' here. It takes Batchpoint.Invoker or Batchpoint.Operator or Batchpoint.Owner.",
  });
});

it('the roles of a token count by their exact names', () => {
  expect(grantsOfRoles(['Batchpoint.Owner', 'batchpoint.reader', 'Owner', 'User.Read.All', 'constructor'])).toEqual([
    { role: 'owner' },
  ]);
});

describe('the setting', () => {
  const read = (given: unknown) => Assignments.safeParse(given);

  it('gives roles everywhere, on endpoints, or both', () => {
    const id = OID.toLowerCase();
    expect(read({ [OID]: ['owner', 'reader'] }).data).toEqual(new Map([[id, [{ role: 'owner' }, { role: 'reader' }]]]));
    expect(read({ [OID]: { roles: ['reader'], endpoints: { heart: ['invoker'] } } }).data).toEqual(
      new Map([[id, [{ role: 'reader' }, { role: 'invoker', endpoint: 'heart' }]]]),
    );
    expect(read({}).data).toEqual(new Map());
  });

  it.each([
    [{ me: ['owner'] }],
    [{ [OID]: ['admin'] }],
    [{ [OID]: 'owner' }],
    [{ [OID]: { endpoint: { heart: ['invoker'] } } }],
    [{ [OID]: { endpoints: { heart: ['Invoker'] } } }],
  ])('refuses %j', (given) => {
    expect(read(given).success).toBe(false);
  });
});
