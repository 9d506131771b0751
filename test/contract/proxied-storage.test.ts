import { afterEach, beforeEach, expect, it, onTestFinished, vi } from 'vitest';
import { startHttp } from '../support/http-server.ts';
import { account, adapters, answer, caught } from '../support/scripted-account.ts';

const REF = { container: 'data', name: 'a.csv' };

beforeEach(() => vi.stubEnv('NO_PROXY', ''));
afterEach(() => vi.unstubAllEnvs());

it('a proxy that the environment names gets what is asked of storage', async () => {
  const asked: string[] = [];
  const proxy = await startHttp((request, response) => {
    asked.push(`${request.method} ${request.headers.host} ${new URL(request.url ?? '', 'http://x').pathname}`);
    request.resume().on('end', () => answer(403, 'AuthorizationFailure')(request, response));
  });
  onTestFinished(() => proxy.stop());
  vi.stubEnv('HTTP_PROXY', proxy.url);
  const { blobs, table, queue } = adapters({ serviceUri: 'http://storage.invalid/acct' });
  const calls = [
    () => blobs.head(REF),
    () => blobs.read(REF),
    () => blobs.listPage('data'),
    () => table.get({ partition: 'p', row: 'r' }),
    () => queue.send('text'),
  ];
  for (const call of calls) expect(await caught(call())).toMatchObject({ status: 403, code: 'AuthorizationFailure' });
  expect(asked).toEqual([
    'HEAD storage.invalid /acct/data/a.csv',
    'GET storage.invalid /acct/data/a.csv',
    'GET storage.invalid /acct/data',
    'POST storage.invalid /acct/Tables',
    'PUT storage.invalid /acct/things',
  ]);
});

it('storage on this machine is reached without one', async () => {
  vi.stubEnv('HTTP_PROXY', 'http://127.0.0.1:9');
  const { blobs, table, requests } = await account(answer(403, 'AuthorizationFailure'));
  const calls = [() => blobs.head(REF), () => blobs.read(REF), () => blobs.listPage('data'), () => table.query('p')];
  for (const call of calls) expect(await caught(call())).toMatchObject({ status: 403, code: 'AuthorizationFailure' });
  expect(requests).toHaveLength(4);
});
