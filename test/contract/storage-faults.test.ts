import { createServer } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { isConflict, StorageFault } from '../../shared/storage/ports.ts';
import { textOf } from '../support/gather.ts';
import { startHttp } from '../support/http-server.ts';
import { account, adapters, answer, caught, type Handler, SECRET } from '../support/scripted-account.ts';

const REF = { container: 'data', name: 'a.csv' };
const ROW = { partition: 'p', row: 'r' };
const bytes = new TextEncoder().encode('x');

it('sends the signature that its address carries', async () => {
  const sent: string[] = [];
  const { blobs, table } = await account((request, response) => {
    sent.push(new URL(request.url ?? '', 'http://x').searchParams.get('sig') ?? 'none');
    return answer(404, 'ResourceNotFound')(request, response);
  });
  await Promise.all([caught(blobs.read(REF)), caught(table.get(ROW))]);
  expect(sent).toEqual([SECRET, SECRET]);
});

describe('what storage refuses', () => {
  const calls = ({ blobs }: Awaited<ReturnType<typeof account>>) => ({
    head: () => blobs.head(REF),
    read: () => blobs.read(REF),
    write: () => blobs.write(REF, bytes),
    list: async () => {
      for await (const item of blobs.list('data')) throw new Error(`listed ${item.name}`);
    },
    'stage a block': () => blobs.stageBlock(REF, 'YQ==', bytes),
    commit: () => blobs.commitBlocks(REF, ['YQ==']),
    remove: () => blobs.remove(REF),
    'create a container': () => blobs.ensureContainer('data'),
  });
  type Call = keyof ReturnType<typeof calls>;
  const names: Call[] = ['head', 'read', 'write', 'list', 'stage a block', 'commit', 'remove', 'create a container'];

  it.each(names)('is a fault with status, code and request, asked once: %s', async (name) => {
    const made = await account(answer(403, 'AuthorizationPermissionMismatch'));
    const error = await caught(calls(made)[name]());
    expect(error).toBeInstanceOf(StorageFault);
    expect(error).toMatchObject({ status: 403, code: 'AuthorizationPermissionMismatch', requestId: 'req-1' });
    expect(made.requests).toHaveLength(1);
  });

  it('is absence for 404 only where the port says so', async () => {
    const { blobs } = await account(answer(404, 'ContainerNotFound'));
    expect(await blobs.head(REF)).toBeUndefined();
    expect(await blobs.read(REF)).toBeUndefined();
    expect(await blobs.remove(REF)).toBe(false);
    expect(await caught(blobs.write(REF, bytes))).toMatchObject({ status: 404, code: 'ContainerNotFound' });
    expect(await caught(blobs.ensureContainer('data'))).toMatchObject({ status: 404 });
  });

  it('shows neither address nor signature, in any part of the fault', async () => {
    const { blobs, table } = await account(answer(403, 'AuthenticationFailed'));
    const calls = [blobs.read(REF), blobs.write(REF, bytes), table.get(ROW), table.insert(ROW, {})].map(caught);
    for (const error of await Promise.all(calls)) {
      expect(error).toBeInstanceOf(StorageFault);
      const shown = JSON.stringify([
        error,
        String(error),
        Object.getOwnPropertyNames(error),
        error instanceof Error && [error.stack, error.cause],
      ]);
      expect(shown).not.toContain('sig=');
      expect(shown).not.toContain(SECRET);
      expect(shown).not.toContain('127.0.0.1');
    }
  });

  it('has a code in tables even when the answer has none', async () => {
    const { table, requests } = await account((_request, response) => {
      response.writeHead(400, { 'content-type': 'application/json', 'x-ms-request-id': 'req-2' });
      response.end(JSON.stringify({ 'odata.error': { code: '', message: { value: 'no' } } }));
    });
    expect(await caught(table.get(ROW))).toMatchObject({ status: 400, code: 'BadRequest', requestId: 'req-2' });
    expect(requests).toEqual(['POST /acct/Tables']);
  });
});

describe('what storage is too busy for', () => {
  it('is asked again: a read', async () => {
    let asked = 0;
    const { blobs } = await account((request, response) => {
      asked += 1;
      if (asked < 3) return answer(503, 'ServerBusy')(request, response);
      response.writeHead(200, { etag: '"1"', 'content-length': '2' }).end('ok');
    });
    const found = await blobs.read(REF);
    expect(found && (await textOf(found.body))).toBe('ok');
    expect(asked).toBe(3);
  });

  it('is given up after a few seconds, by whom somebody waits for', async () => {
    const { blobs, requests } = await account(answer(503, 'ServerBusy'));
    expect(await caught(blobs.head(REF))).toMatchObject({ status: 503, code: 'ServerBusy', requestId: 'req-1' });
    expect(requests.length).toBeGreaterThan(2);
    expect(requests.length).toBeLessThan(9);
  });

  it('is asked again: a conditional write, which was not done', async () => {
    let asked = 0;
    const { blobs } = await account((request, response) => {
      asked += 1;
      if (asked < 3) return answer(503, 'ServerBusy')(request, response);
      response.writeHead(201, { etag: '"1"' }).end();
    });
    expect(await blobs.write(REF, bytes, { ifNoneMatch: '*' })).toEqual({ etag: '"1"' });
  });

  it('is not asked again: a commit', async () => {
    const { blobs, requests } = await account(answer(503, 'ServerBusy'));
    expect(await caught(blobs.commitBlocks(REF, ['YQ==']))).toMatchObject({ status: 503, code: 'ServerBusy' });
    expect(await caught(blobs.commitBlocks(REF, ['YQ=='], { replaces: '"1"' }))).toMatchObject({ status: 503 });
    expect(requests).toHaveLength(2);
  });
});

describe('an answer that is lost', () => {
  const lose: Handler = (request) => request.socket.destroy();

  it('is asked for again where that is harmless', async () => {
    const { blobs, requests } = await account(lose);
    expect(await caught(blobs.head(REF))).toMatchObject({ status: 0, code: 'ECONNRESET' });
    expect(await caught(blobs.stageBlock(REF, 'YQ==', bytes))).toMatchObject({ status: 0, code: 'ECONNRESET' });
    expect(requests).toHaveLength(8);
  });

  it('stays lost for commits and conditional writes, so that a conflict never is our own echo', async () => {
    const { blobs, requests } = await account(lose);
    const error = await caught(blobs.commitBlocks(REF, ['YQ==']));
    expect(error).toMatchObject({ status: 0, code: 'ECONNRESET', requestId: undefined });
    expect(isConflict(error)).toBe(false);
    expect(await caught(blobs.write(REF, bytes, { ifNoneMatch: '*' }))).toMatchObject({ status: 0 });
    expect(await caught(blobs.write(REF, bytes, { ifMatch: '"1"' }))).toMatchObject({ status: 0 });
    expect(requests).toHaveLength(3);
  });

  it('stays lost for writes of rows', async () => {
    const { table, requests } = await account((request, response) => {
      if (request.url?.includes('/Tables')) return response.writeHead(204).end();
      return request.socket.destroy();
    });
    const writes = [table.insert(ROW, {}), table.replace(ROW, {}, 'W/"1"'), table.remove(ROW, 'W/"1"')].map(caught);
    const lost = expect.objectContaining({ status: 0, code: 'ECONNRESET' }) as unknown;
    expect(await Promise.all(writes)).toEqual([lost, lost, lost]);
    expect(requests.filter((request) => !request.endsWith('/Tables'))).toHaveLength(3);
  });

  it('is named when nobody listens', async () => {
    const closed = await startHttp(() => undefined);
    await closed.stop();
    const { blobs, table } = adapters({ serviceUri: `${closed.url}/acct` });
    const calls = [blobs.commitBlocks(REF, ['YQ==']), table.get(ROW)].map(caught);
    for (const error of await Promise.all(calls)) {
      expect(error).toMatchObject({ status: 0, code: 'ECONNREFUSED' });
      expect(String(error)).toContain('no answer');
    }
  });
});

describe('a table that could not be created', () => {
  it('is tried again by the next call', async () => {
    let creations = 0;
    const { table } = await account((request, response) => {
      if (request.url?.includes('/Tables')) {
        creations += 1;
        return creations === 1 ? answer(403, 'AuthorizationFailure')(request, response) : response.writeHead(204).end();
      }
      return answer(404, 'ResourceNotFound')(request, response);
    });
    expect(await caught(table.get(ROW))).toMatchObject({ status: 403 });
    expect(await Promise.all([table.get(ROW), table.get(ROW)])).toEqual([undefined, undefined]);
    expect(creations).toBe(2);
  });
});

describe('a server that accepts and never answers', () => {
  async function silent() {
    const opened = new Set<{ destroy(): void }>();
    const connected = Promise.withResolvers<void>();
    const gone = Promise.withResolvers<void>();
    const server = createServer((socket) => {
      opened.add(socket);
      socket.resume().on('data', () => connected.resolve());
      socket.on('error', () => undefined).on('close', () => gone.resolve());
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    onTestFinished(async () => {
      for (const socket of opened) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    });
    const address = server.address();
    if (address === null || typeof address === 'string') throw new Error('no port');
    const connection = { serviceUri: `http://127.0.0.1:${address.port}/acct` };
    return { connection, connected: connected.promise, gone: gone.promise };
  }

  it.each(['read', 'list', 'stageBlock', 'write', 'writeStream'])(
    'is left with the reason of the signal: %s',
    async (operation) => {
      const { connection, connected, gone } = await silent();
      const { blobs } = adapters(connection);
      const stop = new AbortController();
      const { signal } = stop;
      const calls: Record<string, () => Promise<unknown>> = {
        read: () => blobs.read(REF, { signal }),
        list: async () => blobs.list('data', { signal })[Symbol.asyncIterator]().next(),
        stageBlock: () => blobs.stageBlock(REF, 'YQ==', bytes, { signal }),
        write: () => blobs.write(REF, bytes, { signal, ifNoneMatch: '*' }),
        writeStream: () =>
          blobs.writeStream(
            REF,
            (async function* () {
              yield bytes;
            })(),
            { signal },
          ),
      };
      const call = caught(calls[operation]?.() ?? Promise.reject(new Error('no such call')));
      await connected;
      stop.abort(new Error('cancelled by the user'));
      expect(await call).toBe(signal.reason);
      await gone;
    },
  );

  it('is a fault after the time that an answer may take', async () => {
    const { connection } = await silent();
    const { blobs, table } = adapters(connection, 100);
    const timedOut = { name: 'StorageFault', status: 0, code: 'ETIMEDOUT' };
    expect(await caught(blobs.head(REF))).toMatchObject(timedOut);
    expect(await caught(blobs.read(REF))).toMatchObject(timedOut);
    expect(await caught(blobs.commitBlocks(REF, ['YQ==']))).toMatchObject(timedOut);
    expect(await caught(table.get(ROW))).toMatchObject(timedOut);
  });
});
