import { describe, expect, it } from 'vitest';
import { ApiError } from '../../../shared/domain/errors.ts';
import { badBlobName, parseDataUri, type UriRules } from '../../../shared/domain/uri.ts';

/** Every trick of storage-security.md 2.2 and 4.3: none leads out of the datastores. */

const AZURE = 'https://acct.blob.core.windows.net';
const rules: UriRules = {
  workspace: { subscriptionId: 'sub', resourceGroup: 'rg', workspace: 'ws' },
  datastores: [
    { name: 'store', account: 'acct', container: 'data', endpoint: AZURE },
    { name: 'kelvin', account: 'kcct', container: 'data', endpoint: 'https://kcct.blob.core.windows.net' },
  ],
};
/** Storage on this machine: its address is an IP literal that the settings name. */
const emulated: UriRules = {
  ...rules,
  datastores: [
    {
      name: 'store',
      account: 'devstoreaccount1',
      container: 'data',
      endpoint: 'http://127.0.0.1:10000/devstoreaccount1',
    },
  ],
};

function answer(text: string, at: UriRules = rules): number | string {
  try {
    return parseDataUri(text, at, 'uri').path;
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    return error.status;
  }
}

describe('an address of another host', () => {
  it.each([
    ['with a user that looks like the host', 'https://acct.blob.core.windows.net@evil.test/data/x', 403],
    ['with a user and a password', 'https://acct:pw@acct.blob.core.windows.net/data/x', 403],
    ['with an empty user', 'https://@acct.blob.core.windows.net/data/x', 403],
    ['behind a backslash', 'https://evil.test\\.blob.core.windows.net/data/x', 400],
    ['behind backslashes instead of slashes', 'https:\\\\evil.test/data/x', 400],
    ['behind an encoded slash', 'https://evil.test%2f.blob.core.windows.net/data/x', 403],
    ['behind a question mark', 'https://evil.test?.blob.core.windows.net/data/x', 400],
    ['behind a hash', 'https://evil.test#.blob.core.windows.net/data/x', 400],
    ['in full-width letters', 'https://ａcct.blob.core.windows.net/data/x', 400],
    ['with full-width dots', 'https://acct．blob．core．windows．net/data/x', 400],
    ['with an ideographic full stop', 'https://acct。blob.core.windows.net/data/x', 400],
    ['in capitals', 'HTTPS://ACCT.BLOB.CORE.WINDOWS.NET/data/x', 'x'],
    ['with the Kelvin sign for a k', 'https://\u212acct.blob.core.windows.net/data/x', 400],
    ['with a soft hyphen', 'https://ac\u00adct.blob.core.windows.net/data/x', 400],
    ['with a tab', 'https://acct.blob.core\t.windows.net/data/x', 400],
    ['with a line end', 'https://acct.blob.core.windows.net/data/x\n', 400],
    ['with a space before it', ' https://acct.blob.core.windows.net/data/x', 400],
    ['with a C1 control character', 'https://acct.blob.core.windows.net/data/\u0085x', 400],
    ['with a dot at its end', 'https://acct.blob.core.windows.net./data/x', 403],
    ['with its own port', 'https://acct.blob.core.windows.net:443/data/x', 403],
    ['with another port', 'https://acct.blob.core.windows.net:444/data/x', 403],
    ['with an empty port', 'https://acct.blob.core.windows.net:/data/x', 403],
    ['of the secondary', 'https://acct-secondary.blob.core.windows.net/data/x', 403],
    ['of a private link', 'https://acct.privatelink.blob.core.windows.net/data/x', 403],
    ['of a DNS zone', 'https://acct.z01.blob.storage.azure.net/data/x', 403],
    ['of a domain of its own', 'https://data.contoso.com/data/x', 403],
    ['of another cloud', 'https://acct.blob.core.chinacloudapi.cn/data/x', 403],
    ['of another service', 'https://acct.file.core.windows.net/data/x', 403],
    ['of the queue service', 'https://acct.queue.core.windows.net/data/x', 403],
    ['of another account', 'https://acct2.blob.core.windows.net/data/x', 403],
    ['that ends like it', 'https://xacct.blob.core.windows.net/data/x', 403],
    ['that begins with it', 'https://acct.blob.core.windows.net.evil.test/data/x', 403],
    ['without TLS', 'http://acct.blob.core.windows.net/data/x', 403],
    ['without a host', 'https:///data/x', 400],
    ['without a scheme', '//acct.blob.core.windows.net/data/x', 400],
    ['with one slash', 'https:/acct.blob.core.windows.net/data/x', 400],
    ['of a file', 'file:///etc/passwd', 400],
    ['by FTP', 'ftp://acct.blob.core.windows.net/data/x', 400],
    ['as data', 'data:text/csv,a', 400],
    ['by wasb without TLS', 'wasb://data@acct.blob.core.windows.net/x', 400],
    ['by abfs without TLS', 'abfs://data@acct.dfs.core.windows.net/x', 400],
    ['by abfss with two containers', 'abfss://data@data@acct.dfs.core.windows.net/x', 400],
    ['by abfss without a container', 'abfss://acct.dfs.core.windows.net/data/x', 400],
    ['by abfss with a port', 'abfss://data@acct.dfs.core.windows.net:443/x', 403],
    ['by abfss of another account', 'abfss://data@other.dfs.core.windows.net/x', 403],
    ['by abfss with a path in its container', 'abfss://data%2fx@acct.dfs.core.windows.net/x', 400],
  ])('%s: %j', (_what, text, status) => {
    expect(answer(text)).toBe(status);
  });

  it.each([
    ['IPv4', 'https://20.60.1.2/data/x'],
    ['of this machine', 'https://127.0.0.1/data/x'],
    ['of the metadata service', 'http://169.254.169.254/data/x'],
    ['in decimal', 'https://2130706433/data/x'],
    ['in hex', 'https://0x7f000001/data/x'],
    ['in octal', 'https://0177.0.0.1/data/x'],
    ['in short', 'https://127.1/data/x'],
    ['IPv6', 'https://[::1]/data/x'],
    ['IPv6 that holds IPv4', 'https://[::ffff:127.0.0.1]/data/x'],
    ['by name', 'https://localhost/data/x'],
    ['of Azurite', 'http://127.0.0.1:10000/devstoreaccount1/data/x'],
  ])('as an IP literal, %s, is refused', (_what, text) => {
    expect(answer(text)).toBe(403);
  });

  it.each([
    ['as the settings name it', 'http://127.0.0.1:10000/devstoreaccount1/data/x', 'x'],
    ['in decimal', 'http://2130706433:10000/devstoreaccount1/data/x', 403],
    ['by name', 'http://localhost:10000/devstoreaccount1/data/x', 403],
    ['in short', 'http://127.1:10000/devstoreaccount1/data/x', 403],
    ['on another port', 'http://127.0.0.1:10001/devstoreaccount1/data/x', 403],
    ['with TLS', 'https://127.0.0.1:10000/devstoreaccount1/data/x', 403],
    ['of another account', 'http://127.0.0.1:10000/devstoreaccount2/data/x', 403],
    ['with a longer account', 'http://127.0.0.1:10000/devstoreaccount12/data/x', 403],
    ['with dots before the account', 'http://127.0.0.1:10000/a/../devstoreaccount1/data/x', 403],
  ])('of development storage is that of the settings, to the letter: %s', (_what, text, expected) => {
    expect(answer(text, emulated)).toBe(expected);
  });
});

describe('a container', () => {
  it.each([
    ['that begins with its name', `${AZURE}/data2/x`, 403],
    ['that its name begins with', `${AZURE}/dat/x`, 403],
    ['in capitals', `${AZURE}/Data/x`, 403],
    ['by dots', `${AZURE}/data/../other/x`, 400],
    ['by encoded dots', `${AZURE}/data/a/%2e%2e/%2e%2e/other/x`, 400],
    ['by half encoded dots', `${AZURE}/data/.%2E/other/x`, 400],
    ['by an encoded slash', `${AZURE}/data/..%2f..%2fother`, 400],
    ['by an encoded slash in its own name', `${AZURE}/data%2fx`, 400],
    ['by an encoded backslash', `${AZURE}/data/..%5c..%5cother`, 400],
    ['by dots before it', `${AZURE}/other/../data/x`, 403],
    ['by two slashes', `${AZURE}//data/x`, 403],
    ['of the root', `${AZURE}/x`, 403],
    ['by no name', `${AZURE}/`, 403],
    ['by a version', `${AZURE}/data?restype=container&comp=list`, 400],
  ])('%s: %j', (_what, text, status) => {
    expect(answer(text)).toBe(status);
  });

  it('may be written with escapes', () => {
    expect(answer(`${AZURE}/%64ata/x`)).toBe('x');
  });
});

describe('a query or a fragment', () => {
  it.each([
    'comp=list&restype=container',
    'snapshot=2026-01-01T00:00:00Z',
    'versionid=2026-01-01T00:00:00Z',
    'timeout=1',
    'sig=x&sig=y',
    '',
  ])('?%s is refused wherever no signature is taken', (query) => {
    expect(answer(`${AZURE}/data/x?${query}`)).toBe(400);
    expect(answer(`azureml://datastores/store/paths/x?${query}`)).toBe(400);
    expect(answer(`abfss://data@acct.dfs.core.windows.net/x?${query}`)).toBe(400);
  });

  it.each(['#', '#x', '#/../other'])('%s is refused', (fragment) => {
    expect(answer(`${AZURE}/data/x${fragment}`)).toBe(400);
    expect(answer(`azureml://datastores/store/paths/x${fragment}`)).toBe(400);
  });
});

describe('a datastore', () => {
  it.each([
    ['azureml://datastores/store2/paths/x', 403],
    ['azureml://datastores/stor/paths/x', 403],
    ['azureml://datastores/store%2fpaths/x', 400],
    ['azureml://datastores/../store/paths/x', 400],
    ['azureml://datastores/store/paths/../../other/paths/x', 400],
    ['azureml://datastores/store/path/x', 400],
    ['azureml://subscriptions/sub/resourcegroups/rg/workspaces/ws2/datastores/store/paths/x', 403],
    ['azureml://subscriptions/sub/resourcegroups/rg/workspaces/ws/../ws/datastores/store/paths/x', 400],
    ['azureml://registries/r/datastores/store/paths/x', 400],
    ['azureml://@datastores/store/paths/x', 400],
    ['azureml:///datastores/store/paths/x', 400],
  ])('of %j: %i', (text, status) => {
    expect(answer(text)).toBe(status);
  });
});

describe('a path', () => {
  it.each([
    ['a/b.csv', 'a/b.csv'],
    ['a%20b.csv', 'a b.csv'],
    // Names are bytes: no folding of case, no normalisation, and what only looks like dots is no dot.
    ['A/a', 'A/a'],
    ['caf%C3%A9', 'café'],
    ['cafe%CC%81', 'cafe\u0301'],
    ['%EF%BC%8E%EF%BC%8E/x', '．．/x'],
    ['．．/x', '．．/x'],
    // Escaped twice: a name with a per cent sign.
    ['%252e%252e/x', '%2e%2e/x'],
    ['..a/b..', '..a/b..'],
    ['.../x', '.../x'],
    ['a+b', 'a+b'],
    ["a'b&c=d;e", "a'b&c=d;e"],
    ['folder/', 'folder/'],
    [`${'x'.repeat(1024)}`, 'x'.repeat(1024)],
  ])('%s is legal and means itself', (path, name) => {
    expect(answer(`${AZURE}/data/${path}`)).toBe(name);
    expect(answer(`azureml://datastores/store/paths/${path}`)).toBe(name);
    expect(answer(`abfss://data@acct.dfs.core.windows.net/${path}`)).toBe(name);
  });

  it.each([
    '.',
    '..',
    './x',
    '../x',
    'a/./b',
    'a/..',
    'a/%2e',
    'a/%2E%2e/b',
    'a//b',
    '/a',
    'a///',
    'a%5Cb',
    'a%00b',
    'a%0ab',
    'a%7fb',
    'a%C2%85b',
    'a%2fb',
    'a%2Fb',
    '%zz',
    'a%',
    '%C3',
    '%ED%A0%80',
    'x'.repeat(1025),
    'x'.repeat(4000),
  ])('%j is refused', (path) => {
    expect(answer(`${AZURE}/data/${path}`)).toBe(400);
    expect(answer(`azureml://datastores/store/paths/${path}`)).toBe(400);
    expect(answer(`abfss://data@acct.dfs.core.windows.net/${path}`)).toBe(400);
  });
});

describe('a name from a listing', () => {
  it.each(['a\u0080b', 'a\u009fb', 'a\u007fb', 'a\u0000b'])('%j has a control character', (name) => {
    expect(badBlobName(name)).toBe('holds a backslash or a control character');
  });
});
