import { createServer, type IncomingMessage, type Server } from 'node:http';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { z } from 'zod';
import { durableClient } from './durable-client.ts';
import { startHost, type TestHost } from './start-host.ts';

let host: TestHost;
let durable: ReturnType<typeof durableClient>;
let service: Server;
let url: string;
const polls: string[] = [];

/** What a request looked like, as its answer. */
async function seen(request: IncomingMessage): Promise<string> {
  const { accept, 'content-type': type, 'x-many': many } = request.headers;
  const { method } = request;
  return JSON.stringify({ method, accept, type, many, body: await text(request) });
}

beforeAll(async () => {
  host = await startHost('call-http');
  durable = durableClient(host.url);
  service = createServer((request, response) => {
    const { pathname } = new URL(request.url ?? '/', 'http://localhost');
    if (pathname === '/job') {
      response.writeHead(202, { location: `${url}/job/status`, 'retry-after': '0' }).end();
    } else if (pathname === '/job/status') {
      polls.push(request.method ?? '');
      if (polls.length < 3) response.writeHead(202, { location: `${url}/job/status`, 'retry-after': '0' }).end();
      else response.end('finished');
    } else {
      const status = pathname === '/missing' ? 404 : 200;
      void seen(request).then((body) =>
        response.writeHead(status, { 'x-one': '1', 'set-cookie': ['a=1', 'b=2'] }).end(body),
      );
    }
  });
  service.listen(0, '127.0.0.1');
  await once(service, 'listening');
  const address = service.address();
  if (address === null || typeof address === 'string') throw new Error('The service has no port.');
  url = `http://127.0.0.1:${address.port}`;
});
afterAll(async () => {
  await host.stop();
  service.close();
});

const answerSchema = z.object({
  statusCode: z.number(),
  headers: z.record(z.string(), z.unknown()),
  content: z.string(),
});

async function call(request: object): Promise<z.infer<typeof answerSchema>> {
  return answerSchema.parse((await durable.run('call', { enablePolling: false, ...request })).output);
}

test('passes method, headers and content, and answers status, headers and content', async () => {
  const headers = { accept: 'text/csv', 'content-type': 'application/json', 'x-many': ['1', '2'] };
  const answer = await call({ method: 'PUT', url: `${url}/any`, headers, body: { n: 1 } });
  expect(JSON.parse(answer.content)).toEqual({
    ...{ method: 'PUT', accept: 'text/csv', type: 'application/json', many: '1, 2', body: '{"n":1}' },
  });
  expect(answer).toMatchObject({ statusCode: 200, headers: { 'x-one': '1', 'set-cookie': ['a=1', 'b=2'] } });
});

test('takes content for text, and leaves what belongs to the content out of the headers', async () => {
  const { content, headers } = await call({ method: 'POST', url: `${url}/any`, body: 'words' });
  expect(JSON.parse(content)).toMatchObject({ type: 'text/plain', body: 'words' });
  expect(Object.keys(headers).filter((name) => name.startsWith('content-'))).toEqual([]);
});

test('any status is an answer, no connection is a failure', async () => {
  expect(await call({ method: 'GET', url: `${url}/missing` })).toMatchObject({ statusCode: 404 });
  const { output } = await durable.run('call', { method: 'GET', url: 'http://127.0.0.1:1/', enablePolling: false });
  expect(output).toEqual({
    failed: expect.stringContaining("Activity function 'BuiltIn::HttpActivity' failed: fetch failed") as string,
  });
});

test('polls while the answer is 202 with a location', async () => {
  expect(await call({ method: 'POST', url: `${url}/job`, enablePolling: true })).toMatchObject({
    ...{ statusCode: 200, content: 'finished' },
  });
  expect(polls).toEqual(['GET', 'GET', 'GET']);
});

test('without polling 202 is the answer', async () => {
  expect(await call({ method: 'POST', url: `${url}/job` })).toMatchObject({ statusCode: 202, content: '' });
});

test('keeps its ids beside other tasks', async () => {
  const { output } = await durable.run('beside', { method: 'GET', url: `${url}/job/status`, enablePolling: false });
  expect(output).toEqual(['finished', { n: 1 }, { n: 2 }]);
});

test('multipart content is refused, as on the real host', async () => {
  const headers = { 'content-type': 'multipart/form-data' };
  const { output } = await durable.run('call', { method: 'POST', url, headers, body: 'x', enablePolling: false });
  expect(output).toEqual({ failed: expect.stringContaining('Multipart content is not supported') as string });
});

test('a managed identity is refused by name', async () => {
  expect(await durable.run('identity')).toMatchObject({
    runtimeStatus: 'Failed',
    output: expect.stringContaining('callHttp with a tokenSource (managed identity) is not supported') as string,
  });
});
