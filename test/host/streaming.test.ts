import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { request, type IncomingMessage } from 'node:http';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startHost, type TestHost } from './start-host.ts';

let host: TestHost;
beforeAll(async () => {
  host = await startHost('streaming', { FUNCTIONS_REQUEST_BODY_SIZE_LIMIT: '5000000' });
});
afterAll(() => host.stop());

const call = (path: string, init?: RequestInit): Promise<Response> => fetch(`${host.url}${path}`, init);

async function statusOf(sent: ReturnType<typeof request>): Promise<number | undefined> {
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
  sent.once('error', reject);
  sent.once('response', resolve);
  return (await promise).statusCode;
}

describe('with enableHttpStream', () => {
  test('a function sees method, address, parameters, headers and repeated query values', async () => {
    const response = await call('/api/describe/7?a=1&a=2', {
      method: 'PUT',
      body: 'grüße',
      headers: { 'X-Mixed': 'v' },
    });
    expect(await response.json()).toEqual({
      method: 'PUT',
      url: `${host.url}/api/describe/7?a=1&a=2`,
      params: { id: '7' },
      query: [
        ['a', '1'],
        ['a', '2'],
      ],
      header: 'v',
      body: 'grüße',
    });
  });

  test.each(['GET', 'DELETE', 'OPTIONS'])('%s without a body', async (method) => {
    expect(await (await call('/api/describe', { method })).json()).toMatchObject({ method, params: {}, body: '' });
  });

  test('HEAD is answered without a body', async () => {
    const response = await call('/api/describe', { method: 'HEAD' });
    expect({ status: response.status, body: await response.text() }).toEqual({ status: 200, body: '' });
  });

  test.each(['POST', 'DELETE'])('a %s body without Content-Length arrives', async (method) => {
    const body = new Blob(['not lost']).stream();
    const response = await call('/api/describe', { method, body, duplex: 'half' });
    expect(await response.json()).toMatchObject({ method, body: 'not lost' });
  });

  test.each([0, 1, 3_000_000])('%i bytes come back as they were', async (size) => {
    const body = randomBytes(size);
    const response = await call('/api/echo', { method: 'POST', body });
    expect(Buffer.from(await response.arrayBuffer()).equals(body)).toBe(true);
  });

  test('both directions are open at once', async () => {
    const sent = request(`${host.url}/api/chat`, { method: 'POST' });
    const heard: string[] = [];
    sent.write('one');
    const { promise, resolve } = Promise.withResolvers<IncomingMessage>();
    sent.once('response', resolve);
    const response = await promise;
    response.setEncoding('utf8').on('data', (text: string) => heard.push(text));
    await expect.poll(() => heard.join('')).toBe('<one>');
    sent.write('two');
    await expect.poll(() => heard.join('')).toBe('<one><two>');
    sent.end();
    await once(response, 'end');
    expect(heard.join('')).toBe('<one><two>');
  });

  test('status, headers and cookies', async () => {
    const response = await call('/api/answer');
    expect({ status: response.status, body: await response.text() }).toEqual({ status: 201, body: 'made' });
    expect(response.headers.get('x-a')).toBe('1');
    expect(response.headers.getSetCookie()).toEqual(['a=1; Path=/; HttpOnly', 'b=2']);
  });

  test('what a function throws is a 500, and the real host is told of', async () => {
    const response = await call('/api/throws', { method: 'POST', body: 'x'.repeat(100_000) });
    expect({ status: response.status, body: await response.text() }).toEqual({ status: 500, body: '' });
    await expect.poll(host.stderr).toContain("error: The function 'throws' failed. Error: broken on purpose");
    expect(host.stderr()).toContain('warning: The real host would answer only after 4 minutes');
  });

  test('no answer at all is a 500 that says why', async () => {
    expect((await call('/api/nothing')).status).toBe(500);
    await expect.poll(host.stderr).toContain('It returned nothing: with enableHttpStream');
  });

  test('an answer that breaks off is cut off for the client too', async () => {
    const response = await call('/api/breaks');
    expect(response.status).toBe(200);
    await expect(response.text()).rejects.toThrow();
    await expect.poll(host.stderr).toContain('broken while it answers');
  });

  test('a body beyond the limit is refused: announced before it is read, else when it is exceeded', async () => {
    const announced = request(`${host.url}/api/echo`, { method: 'POST', headers: { 'content-length': '5000001' } });
    announced.flushHeaders();
    expect(await statusOf(announced)).toBe(413);
    announced.destroy();
    const chunked = request(`${host.url}/api/describe`, { method: 'POST' });
    chunked.write(Buffer.alloc(3_000_000));
    chunked.write(Buffer.alloc(3_000_000));
    expect(await statusOf(chunked)).toBe(413);
    chunked.destroy();
  });

  test('a client that goes away takes its upload with it, and the host goes on', async () => {
    const sent = request(`${host.url}/api/upload`, { method: 'POST' });
    sent.on('error', () => undefined);
    sent.write('half');
    const upload = async (): Promise<unknown> => (await call('/api/seen')).json();
    await expect.poll(upload).toMatchObject({ upload: 'half' });
    sent.destroy();
    await expect.poll(upload).toMatchObject({ upload: expect.stringContaining('aborted') as string });
  });

  test('a client that leaves an endless answer leaves a host that still answers', async () => {
    const leave = new AbortController();
    const response = await call('/api/endless', { signal: leave.signal });
    await response.body?.getReader().read();
    leave.abort();
    for (let i = 0; i < 20; i++) expect((await call('/api/answer')).status).toBe(201);
    expect(host.process.exitCode).toBeNull();
  });
});
