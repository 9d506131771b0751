import { expect, it, onTestFinished } from 'vitest';
import { remoteKeys } from '../../shared/auth/remote-keys.ts';
import { StorageFault } from '../../shared/storage/ports.ts';
import { startHttp } from '../support/http-server.ts';
import { account, caught } from '../support/scripted-account.ts';

/** Nothing of ours goes where an answer sends it: the address that was checked is the only one that is asked (S4.4). */

const REF = { container: 'data', name: 'a.csv' };
const bytes = new TextEncoder().encode('x');
const statuses = [300, 301, 302, 303, 307, 308];

const redirecting = async (status: number, location: string) =>
  account((request, response) => {
    const isFirst = !(request.url ?? '').includes('elsewhere');
    response.writeHead(isFirst ? status : 200, isFirst ? { location } : {});
    response.end();
  });

it.each(statuses)('storage that answers %i is a fault, whatever was asked', async (status) => {
  const { blobs, table, queue, requests } = await redirecting(status, '/elsewhere/stolen.csv');
  const list = async () => {
    for await (const item of blobs.list('data')) throw new Error(`listed ${item.name}`);
  };
  const calls = {
    head: () => blobs.head(REF),
    read: () => blobs.read(REF),
    write: () => blobs.write(REF, bytes),
    list,
    stage: () => blobs.stageBlock(REF, 'YQ==', bytes),
    commit: () => blobs.commitBlocks(REF, ['YQ==']),
    remove: () => blobs.remove(REF),
    'get a row': () => table.get({ partition: 'p', row: 'r' }),
    'insert a row': () => table.insert({ partition: 'p', row: 'r' }, { a: 1 }),
    query: () => table.query('p'),
    send: () => queue.send('text'),
  };
  for (const [name, call] of Object.entries(calls)) {
    const fault = await caught(call());
    expect([name, fault instanceof StorageFault, fault]).toMatchObject([name, true, { status }]);
  }
  expect(requests.filter((request) => request.includes('elsewhere'))).toEqual([]);
});

it.each(statuses)('an issuer that answers %i for its keys is not followed', async (status) => {
  const asked: string[] = [];
  const server = await startHttp((request, response) => {
    asked.push(request.url ?? '');
    response.writeHead(request.url === '/keys' ? status : 200, { location: '/elsewhere' });
    response.end(JSON.stringify({ keys: [] }));
  });
  onTestFinished(() => server.stop());
  const faults: unknown[] = [];
  const keys = remoteKeys(new URL(`${server.url}/keys`), (error) => faults.push(error));
  const header = { alg: 'RS256', kid: 'k' };
  const answer = await caught(Promise.resolve(keys(header)));
  expect(answer).toMatchObject({ status: 503 });
  expect(faults).toHaveLength(1);
  expect(asked).toEqual(['/keys']);
});
