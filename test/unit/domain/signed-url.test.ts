import { describe, expect, it } from 'vitest';
import { ApiError } from '../../../shared/domain/errors.ts';
import { cutSignature, parseSignedUrl, type SignedUse } from '../../../shared/domain/signed-url.ts';

const AZURE = 'https://acct.blob.core.windows.net';
const accounts = [
  { account: 'acct', endpoint: AZURE },
  { account: 'devstoreaccount1', endpoint: 'http://127.0.0.1:10000/devstoreaccount1' },
];
const workspace = { subscriptionId: 's', resourceGroup: 'r', workspace: 'w' };
const NOW = Date.parse('2026-02-03T00:00:00Z');
const UNTIL = Date.parse('2026-02-09T00:00:00Z');

const good = {
  sv: '2024-11-04',
  sr: 'c',
  sp: 'rwdl',
  st: '2026-02-02',
  se: '2026-02-09T00:00:00Z',
  sig: 'c2VjcmV0+/c2VjcmV0=',
};
const queryOf = (fields: Readonly<Record<string, string | undefined>>): string =>
  Object.entries({ ...good, ...fields })
    .flatMap(([name, value]) => (value === undefined ? [] : [`${name}=${encodeURIComponent(value)}`]))
    .join('&');

const read = (url: string, use: Partial<SignedUse> = {}) => {
  const cut = cutSignature(url);
  if (!cut) throw new Error('no signature');
  return parseSignedUrl(cut, accounts, workspace, {
    ...{ part: 'input', kind: 'UriFolder', target: 'field', now: NOW, until: UNTIL },
    ...use,
  });
};

function fault(url: string, use: Partial<SignedUse> = {}): ApiError {
  try {
    read(url, use);
  } catch (error) {
    if (error instanceof ApiError) return error;
    throw error;
  }
  throw new Error(`${url} was taken`);
}

describe('a signed URL', () => {
  it.each([
    [`${AZURE}/theirs/a/b`, 'theirs', 'a/b'],
    ['https://acct.dfs.core.windows.net/theirs/a', 'theirs', 'a'],
    [`${AZURE}/theirs`, 'theirs', ''],
    ['http://127.0.0.1:10000/devstoreaccount1/theirs/a', 'theirs', 'a'],
  ])('of %s opens any container for data of a listed account', (bare, container, path) => {
    const { address, path: found } = read(`${bare}?${queryOf({})}`);
    expect([address.container, found]).toEqual([container, path]);
    expect(accounts).toContainEqual({ account: address.account, endpoint: address.endpoint });
  });

  it('keeps its signature whatever way it is written', () => {
    const whole = read(`${AZURE}/c11/a?${queryOf({})}`).query;
    expect(new URLSearchParams(whole).get('sig')).toBe(good.sig);
    const raw = queryOf({}).replace(encodeURIComponent(good.sig), good.sig);
    expect(read(`${AZURE}/c11/a?${raw}`).query).toBe(whole);
  });

  it.each<[string, Partial<SignedUse>, Record<string, string>]>([
    ['a file by a signature of the blob alone', { kind: 'UriFile' }, { sr: 'b', sp: 'r' }],
    ['a folder by one of a directory', {}, { sr: 'd', sdd: '2', sp: 'rl' }],
    ['an output', { part: 'output', kind: 'UriFile' }, { sp: 'racwdl' }],
    [
      'a user delegation key',
      {},
      { skoid: 'o', sktid: 't', skt: '2026-02-01', ske: '2026-02-09T00:00:00Z', sks: 'b', skv: '2024-11-04' },
    ],
    ['an address range', {}, { sip: '1.2.3.4-1.2.3.9', spr: 'https' }],
  ])('may be %s', (_what, use, fields) => {
    expect(read(`${AZURE}/theirs/a.csv?${queryOf(fields)}`, use).path).toBe('a.csv');
  });

  it.each([
    ['of another account', 'https://other.blob.core.windows.net/theirs/a', 403],
    ['of another host', 'https://acct.blob.core.windows.net.evil.test/theirs/a', 403],
    ['with a user', 'https://x@acct.blob.core.windows.net/theirs/a', 403],
    ['of the app', `${AZURE}/batchpoint-jobs/a`, 403],
    ['of the host', `${AZURE}/azure-webjobs-secrets/a`, 403],
    ['of a task hub', `${AZURE}/hub-leases/a`, 403],
    ['of no container', `${AZURE}/$root/a`, 403],
    ['of no container at all', AZURE, 403],
    ['of an escaped container', `${AZURE}/batchpoint%2Djobs/a`, 403],
    ['with dots', `${AZURE}/theirs/../batchpoint-jobs/a`, 400],
    ['with encoded dots', `${AZURE}/theirs/%2e%2e/batchpoint-jobs/a`, 400],
  ])('%s is refused', (_what, bare, status) => {
    expect(fault(`${bare}?${queryOf({})}`)).toMatchObject({ status, target: 'field' });
  });

  it.each<[string, Partial<SignedUse>, Record<string, string | undefined>, string]>([
    ['an account SAS', {}, { ss: 'b', srt: 'sco', sr: undefined }, 'may only have the fields'],
    ['a stored policy', {}, { si: 'policy', se: undefined, sp: undefined }, 'may only have the fields'],
    ['another operation', {}, { comp: 'list', restype: 'container' }, 'may only have the fields'],
    ['another header', {}, { rscd: 'x' }, 'may only have the fields'],
    ['a snapshot', {}, { snapshot: 'x' }, 'may only have the fields'],
    ['a line end in a field', {}, { sip: '1.2.3.4\r\n' }, 'may only have the fields'],
    ['no end', {}, { se: undefined }, "has no 'se'"],
    ['an end that is no time', {}, { se: 'never' }, 'until 2026-02-09T00:00:00.000Z (se)'],
    ['an end before the longest job', {}, { se: '2026-02-08T23:59:59Z' }, 'until 2026-02-09T00:00:00.000Z (se)'],
    ['a key that ends before', {}, { ske: '2026-02-04' }, '(ske)'],
    ['a beginning tomorrow', {}, { st: '2026-02-04' }, 'is not good yet (st)'],
    ['no right to list a folder', {}, { sp: 'r' }, "must give the rights 'rl' (sp)"],
    ['no right to write', { part: 'output' }, { sp: 'rl' }, "must give the rights 'rwd' (sp)"],
    ['one blob for a folder', {}, { sr: 'b' }, 'must be for a container or a directory'],
    [
      'one blob for an output',
      { part: 'output', kind: 'UriFile' },
      { sr: 'b' },
      'must be for a container or a directory',
    ],
  ])('with %s is refused', (_what, use, fields, reason) => {
    const error = fault(`${AZURE}/theirs/a?${queryOf(fields)}`, use);
    expect(error).toMatchObject({ status: 400, target: 'field' });
    expect(error.message).toContain(reason);
    expect(error.message).not.toContain('c2VjcmV0');
  });

  it('has each field once, and a length', () => {
    expect(fault(`${AZURE}/theirs/a?${queryOf({})}&sp=r`).message).toContain("has 'sp' twice");
    expect(fault(`${AZURE}/theirs/a?${queryOf({ sig: 'x'.repeat(2000) })}`).message).toContain('2048 characters');
  });
});

it.each([
  'azureml://datastores/store/paths/x?sig=x',
  'abfss://c@acct.dfs.core.windows.net/x?sig=x',
  `${AZURE}/c/x?a=b`,
])('%s carries no signature that could be cut off', (uri) => {
  expect(cutSignature(uri)).toBeUndefined();
});
