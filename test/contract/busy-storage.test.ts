import type { IncomingMessage } from 'node:http';
import { expect, it, onTestFinished } from 'vitest';
import { azureBlobs } from '../../shared/storage/azure-blobs.ts';
import { azureTables } from '../../shared/storage/azure-tables.ts';
import { busyTimes } from '../../shared/storage/busy-times.ts';
import { answer, caught, type Handler } from '../support/scripted-account.ts';
import { startHttp } from '../support/http-server.ts';

const REF = { container: 'data', name: 'a.csv' };
const ROW = { partition: 'p', row: 'r' };
const bytes = new TextEncoder().encode('x');

const takes: Handler = (request, response) => {
  if (request.url?.includes('/Tables')) return response.writeHead(204).end();
  if (request.method === 'HEAD' || request.method === 'GET')
    return response.writeHead(200, { etag: '"1"', 'content-length': '0' }).end();
  return response.writeHead(201, { etag: '"1"' }).end();
};

/** Adapters as activities have them, before a server that turns away the first `times` requests that are not for making the table. */
async function busyAtFirst(times: number, status: number, code: string) {
  const came: number[] = [];
  const isMaking = ({ url }: IncomingMessage): boolean => url?.includes('/Tables') ?? false;
  const server = await startHttp((request, response) => {
    if (!isMaking(request)) came.push(Date.now());
    const away = !isMaking(request) && came.length <= times;
    if (away) response.setHeader('retry-after', '1');
    request.resume().on('end', () => (away ? answer(status, code) : takes)(request, response));
  });
  onTestFinished(() => server.stop());
  const busy = busyTimes({ began: () => undefined, ended: () => undefined });
  const options = { patienceMs: 60_000, busy };
  const connection = { serviceUri: `${server.url}/acct?sv=2024-01-01&sig=x` };
  return { blobs: azureBlobs(connection, options), table: azureTables(connection, options)('things'), busy, came };
}

type Adapters = Awaited<ReturnType<typeof busyAtFirst>>;
const calls: Readonly<Record<string, (adapters: Adapters) => Promise<unknown>>> = {
  'a read': ({ blobs }) => blobs.read(REF),
  'a block': ({ blobs }) => blobs.stageBlock(REF, 'YQ==', bytes),
  'a conditional write': ({ blobs }) => blobs.write(REF, bytes, { ifNoneMatch: '*' }),
  'a row': ({ table }) => table.insert(ROW, { a: 1 }),
};

it.each(Object.keys(calls).map((name, index) => [name, index % 2 ? 429 : 503] as const))(
  'that is busy is left alone as long as it asks for: %s, %i',
  async (name, status) => {
    const adapters = await busyAtFirst(1, status, 'ServerBusy');
    const began = Date.now();
    await calls[name]?.(adapters);
    const [first = 0, second = 0, ...more] = adapters.came;
    expect(more).toEqual([]);
    expect(second - first).toBeGreaterThanOrEqual(990);
    expect(adapters.busy.since(began)).toBeGreaterThanOrEqual(990);
  },
);

it('that ran out of time is asked again for what does no harm twice, and not for a conditional write', async () => {
  const patient = await busyAtFirst(1, 500, 'OperationTimedOut');
  await patient.blobs.head(REF);
  expect(patient.came).toHaveLength(2);
  const other = await busyAtFirst(1, 500, 'OperationTimedOut');
  expect(await caught(other.blobs.write(REF, bytes, { ifNoneMatch: '*' }))).toMatchObject({ status: 500 });
  expect(other.came).toHaveLength(1);
});

it('makes a commit wait beforehand, which is sent once', async () => {
  const { blobs, came } = await busyAtFirst(1, 503, 'ServerBusy');
  expect(await caught(blobs.commitBlocks(REF, ['YQ==']))).toMatchObject({ status: 503 });
  expect(came).toHaveLength(1);
  await blobs.commitBlocks(REF, ['YQ==']);
  const [first = 0, second = 0] = came;
  expect(second - first).toBeGreaterThanOrEqual(990);
});
