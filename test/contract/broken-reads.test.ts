import { randomBytes } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';
import { describe, expect, it, onTestFinished } from 'vitest';
import { gather } from '../support/gather.ts';
import { startHttp } from '../support/http-server.ts';
import { account, adapters, answer, caught, type Handler } from '../support/scripted-account.ts';

const REF = { container: 'data', name: 'a.csv' };

async function* nothing(): AsyncGenerator<Uint8Array> {}

describe('a download whose line breaks', () => {
  const content = randomBytes(400_000);

  /** Serves ranges of `content`; every answer breaks after `piece` bytes, or after all of them. */
  const breaking =
    (
      piece: number,
      seen: { range: string | undefined; ifMatch: string | undefined }[],
      etagOf = () => '"1"',
    ): Handler =>
    (request, response) => {
      const range = request.headers['x-ms-range']?.toString() ?? request.headers.range;
      seen.push({ range, ifMatch: request.headers['if-match'] });
      const ifMatch = request.headers['if-match'];
      if (ifMatch !== undefined && ifMatch !== etagOf()) return answer(412, 'ConditionNotMet')(request, response);
      const [from = 0, to = content.length - 1] = (/bytes=(\d+)-(\d+)?/.exec(range ?? '')?.slice(1) ?? [])
        .filter((part) => part !== undefined)
        .map(Number);
      const body = content.subarray(from, to + 1);
      response.writeHead(range ? 206 : 200, {
        etag: etagOf(),
        'content-length': body.length,
        ...(range && { 'content-range': `bytes ${from}-${to}/${content.length}` }),
      });
      if (body.length <= piece) return response.end(body);
      return response.write(body.subarray(0, piece), () => setImmediate(() => request.socket.destroy()));
    };

  const readAll = async (body: AsyncIterable<Uint8Array> = nothing()): Promise<Buffer> =>
    Buffer.concat(await gather(body));

  it('goes on where it broke, on the same version, without a byte lost or twice', async () => {
    const seen: { range: string | undefined; ifMatch: string | undefined }[] = [];
    const { blobs } = await account(breaking(150_000, seen));
    const found = await blobs.read(REF, { offset: 1000, count: 390_000 });
    expect(found?.length).toBe(content.length);
    expect((await readAll(found?.body)).equals(content.subarray(1000, 391_000))).toBe(true);
    expect(seen.length).toBeGreaterThan(2);
    expect(seen[0]).toEqual({ range: 'bytes=1000-390999', ifMatch: undefined });
    for (const later of seen.slice(1))
      expect(later).toMatchObject({ ifMatch: '"1"', range: expect.stringMatching(/-390999$/) as string });
  });

  it('fails when the blob changed meanwhile', async () => {
    let version = 1;
    const { blobs } = await account(breaking(150_000, [], () => `"${version}"`));
    const found = await blobs.read(REF);
    version = 2;
    expect(await caught(readAll(found?.body))).toMatchObject({
      name: 'StorageFault',
      status: 412,
      code: 'ConditionNotMet',
    });
  });

  it('may break before anybody reads', async () => {
    const broke = Promise.withResolvers<void>();
    const serve = breaking(150_000, []);
    const { blobs } = await account((request, response) => {
      request.socket.on('close', () => broke.resolve());
      return serve(request, response);
    });
    const found = await blobs.read(REF);
    await broke.promise;
    await wait(20);
    expect((await readAll(found?.body)).equals(content)).toBe(true);
  });

  it('is a fault when it breaks again and again', async () => {
    let asked = 0;
    const { blobs } = await account((request, response) => {
      asked += 1;
      response.writeHead(200, { etag: '"1"', 'content-length': '1000' });
      response.write(asked === 1 ? 'some' : '', () => setImmediate(() => request.socket.destroy()));
      response.flushHeaders();
    });
    const found = await blobs.read(REF);
    const error = await caught(readAll(found?.body));
    expect(error).toMatchObject({ name: 'StorageFault', status: 0, code: 'ECONNRESET' });
  });

  it('is a fault when it goes silent amid the bytes', async () => {
    const server = await startHttp((request, response) => {
      const isFirst = request.headers['x-ms-range'] === undefined && request.headers.range === undefined;
      response.writeHead(isFirst ? 200 : 206, { etag: '"1"', 'content-length': isFirst ? 1000 : 996 });
      if (isFirst) response.write('some');
      else response.flushHeaders();
    });
    onTestFinished(() => server.stop());
    const { blobs } = adapters({ serviceUri: `${server.url}/acct` }, 100);
    const found = await blobs.read(REF);
    const error = await caught(readAll(found?.body));
    expect(error).toMatchObject({ name: 'StorageFault', status: 0, code: 'ETIMEDOUT' });
  });

  it.each([10, 100_000])('of %i bytes that are all here may be given up before anybody reads', async (length) => {
    const { blobs } = await account((_request, response) => {
      response.writeHead(200, { etag: '"1"', 'content-length': length });
      response.end(content.subarray(0, length));
    });
    const stop = new AbortController();
    const reason = new Error('nobody wants it');
    const found = await blobs.read(REF, { signal: stop.signal });
    await wait(20);
    stop.abort(reason);
    // A fault of the connection itself would end the process now.
    await wait(20);
    expect(await caught(readAll(found?.body))).toBe(reason);
    expect(await readAll((await blobs.read(REF))?.body)).toHaveLength(length);
  });

  it.each([50_000, 100_000, 150_000])('of %i bytes may be given up by its reader', async (length) => {
    const { blobs } = await account((_request, response) => {
      response.writeHead(200, { etag: '"1"', 'content-length': length });
      response.end(content.subarray(0, length));
    });
    const stop = new AbortController();
    const found = await blobs.read(REF, { signal: stop.signal });
    for await (const part of found?.body ?? []) {
      expect(part.length).toBeGreaterThan(0);
      stop.abort(new Error('nobody wants it'));
      break;
    }
    await wait(20);
    expect(await readAll((await blobs.read(REF))?.body)).toHaveLength(length);
  });

  it('closes its connection when the reader leaves early', async () => {
    const closed = Promise.withResolvers<void>();
    const { blobs } = await account((request, response) => {
      request.socket.on('close', () => closed.resolve());
      response.writeHead(200, { etag: '"1"', 'content-length': '1000000000' });
      response.write(content);
    });
    const found = await blobs.read(REF);
    for await (const part of found?.body ?? []) {
      expect(part.length).toBeGreaterThan(0);
      break;
    }
    await closed.promise;
  });
});
