import { describe, expect, it } from 'vitest';
import { DataGrants, mayUseData, type DataUse } from '../../../shared/auth/data-grants.ts';
import type { Principal } from '../../../shared/auth/principal.ts';
import type { Grant } from '../../../shared/auth/roles.ts';

const ANN = '00000000-0000-4000-8000-00000000000a';
const BOB = '00000000-0000-4000-8000-00000000000b';

const principal = (objectId: string, ...grants: Grant[]): Principal => ({
  subject: `t:${objectId}`,
  tenantId: 't',
  objectId,
  kind: 'person',
  grants,
});
const ann = principal(ANN, { role: 'invoker' });

/** A use of `path` in datastore `store`, by a job of the deployment `blue` of `heart`. */
const use = (path: string, change: Partial<DataUse> = {}): DataUse => ({
  access: 'read',
  datastores: ['store'],
  path,
  deployment: { endpoint: 'heart', name: 'blue', declared: [] },
  ...change,
});
const grants = (...given: object[]) =>
  DataGrants.parse(given.map((grant) => ({ datastore: 'store', access: ['read'], ...grant })));

describe('without a grant', () => {
  it.each<[string, Principal | undefined, boolean]>([
    ['an owner', principal(ANN, { role: 'owner' }), true],
    ['an operator', principal(ANN, { role: 'operator' }), true],
    ['an owner of this endpoint', principal(ANN, { role: 'owner', endpoint: 'heart' }), false],
    ['an operator of this endpoint', principal(ANN, { role: 'operator', endpoint: 'heart' }), false],
    ['an invoker', ann, false],
    ['a reader', principal(ANN, { role: 'reader' }), false],
    ['a queue or a watch', undefined, false],
  ])('%s: %2$s', (_who, caller, may) => {
    for (const access of ['read', 'write'] as const) {
      expect(mayUseData([], caller, use('in/a.csv', { access }))).toBe(may);
      expect(mayUseData([], caller, use('', { access }))).toBe(may);
    }
  });
});

describe('what a deployment declares', () => {
  const declared = [
    { access: 'read', datastore: 'Store', prefix: 'in/' },
    { access: 'write', datastore: 'store', prefix: 'out/' },
  ] as const;
  const at = (path: string, access: DataUse['access'], datastores = ['store']) =>
    use(path, { access, datastores, deployment: { endpoint: 'heart', name: 'blue', declared } });

  it.each<[string, DataUse, boolean]>([
    ['its input folder', at('in/', 'read'), true],
    ['a file below it', at('in/deep/a.csv', 'read'), true],
    ['the container under another name', at('in/', 'read', ['other', 'STORE']), true],
    ['another datastore', at('in/', 'read', ['other']), false],
    ['the file of the folder’s name', at('in', 'read'), false],
    ['a folder whose name begins alike', at('in2/', 'read'), false],
    ['another case', at('IN/', 'read'), false],
    ['all', at('', 'read'), false],
    ['its input for writing', at('in/', 'write'), false],
    ['its output folder', at('out/x/', 'write'), true],
    ['its output for reading', at('out/', 'read'), false],
  ])('is open to whoever may invoke it: %s', (_what, asked, may) => {
    expect(mayUseData([], ann, asked)).toBe(may);
    expect(mayUseData([], undefined, asked)).toBe(may);
  });
});

describe('a grant', () => {
  it.each<[string, object, Principal | undefined, boolean]>([
    ['to the role', { role: 'invoker' }, ann, true],
    ['to another role', { role: 'reader' }, ann, false],
    [
      'to the role that the caller has here',
      { role: 'invoker' },
      principal(ANN, { role: 'invoker', endpoint: 'HEART' }),
      true,
    ],
    [
      'to the role that the caller has elsewhere',
      { role: 'invoker' },
      principal(ANN, { role: 'invoker', endpoint: 'x' }),
      false,
    ],
    ['to the caller', { principal: ANN.toUpperCase() }, ann, true],
    ['to somebody else', { principal: BOB }, ann, false],
    ['to a principal, for a queue', { principal: BOB }, undefined, false],
    ['to the deployment', { deployment: 'Heart/BLUE' }, undefined, true],
    ['to another deployment', { deployment: 'heart/green' }, ann, false],
    ['to all deployments', { deployment: '*' }, undefined, true],
    ['to the caller, of the folder', { principal: ANN, prefix: 'in/' }, ann, true],
    ['to the caller, of the folder without its slash', { principal: ANN, prefix: 'in' }, ann, true],
    ['to the caller, of another folder', { principal: ANN, prefix: 'in/b/' }, ann, false],
    ['to the caller, of a file', { principal: ANN, prefix: 'in/a.csv' }, ann, true],
    ['to the caller, for writing', { principal: ANN, access: ['write'] }, ann, false],
    ['to the caller, of another datastore', { principal: ANN, datastore: 'other' }, ann, false],
    ['to the caller, of all datastores', { principal: ANN, datastore: '*' }, ann, true],
  ])('%s', (_what, given, caller, may) => {
    expect(mayUseData(grants(given), caller, use('in/a.csv'))).toBe(may);
  });

  it('to all deployments is not for a job of none', () => {
    expect(mayUseData(grants({ deployment: '*' }), ann, use('in/a.csv', { deployment: undefined }))).toBe(false);
    expect(mayUseData(grants({ principal: ANN }), ann, use('in/a.csv', { deployment: undefined }))).toBe(true);
  });
});

describe('the setting', () => {
  it.each<[string, object]>([
    ['for nobody', {}],
    ['for two at once', { role: 'invoker', principal: ANN }],
    ['for no role', { role: 'guest' }],
    ['for a name', { principal: 'ann@example.org' }],
    ['for an endpoint', { deployment: 'heart' }],
    ['of a path that leads out', { role: 'invoker', prefix: 'a/../b' }],
    ['of an absolute path', { role: 'invoker', prefix: '/in' }],
    ['to do nothing', { role: 'invoker', access: [] }],
    ['to delete', { role: 'invoker', access: ['delete'] }],
    ['with a field of no meaning', { role: 'invoker', container: 'c' }],
  ])('is refused: a grant %s', (_what, given) => {
    expect(DataGrants.safeParse([{ datastore: 'store', access: ['read'], ...given }]).success).toBe(false);
  });
});
