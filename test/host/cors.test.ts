import { afterEach, expect, test } from 'vitest';
import { createCors, type CorsSettings } from '../../local/http/cors.ts';
import { startHttp } from '../support/http-server.ts';

let server: Awaited<ReturnType<typeof startHttp>> | undefined;
afterEach(() => server?.stop());

/** Status and CORS headers of an answer to a request from an origin; 299 stands for "the function answered". */
async function answer(settings: CorsSettings, headers: Record<string, string>, method = 'GET') {
  const cors = createCors(settings);
  server = await startHttp((request, response) => {
    if (!cors(request, response)) response.writeHead(299).end();
  });
  const response = await fetch(server.url, { method, headers });
  const told = [...response.headers].filter(([name]) => name.startsWith('access-control-') || name === 'vary');
  return { status: response.status, headers: Object.fromEntries(told) };
}

const one = { origin: 'https://one.example' };
const two: CorsSettings = { CORS: 'https://ONE.example/, https://two.example' };
const preflight = {
  ...one,
  'access-control-request-method': 'PUT',
  'access-control-request-headers': 'x-a,authorization',
};

test.each<[string, CorsSettings, Record<string, string>, object]>([
  ['no origin is listed', {}, one, {}],
  ['the request has none', two, {}, {}],
  ['any is allowed', { CORS: '*' }, one, { 'access-control-allow-origin': '*' }],
  ['it is one of two', two, one, { 'access-control-allow-origin': one.origin, vary: 'Origin' }],
  ['it is a stranger', two, { origin: 'https://three.example' }, { vary: 'Origin' }],
  [
    'credentials are allowed',
    { CORS: one.origin, CORSCredentials: true },
    one,
    { 'access-control-allow-origin': one.origin, 'access-control-allow-credentials': 'true' },
  ],
])('when %s', async (_name, settings, sent, headers) => {
  expect(await answer(settings, sent)).toEqual({ status: 299, headers });
});

test('a preflight is answered in place of the function, for any method and header', async () => {
  expect(await answer({ CORS: '*' }, preflight, 'OPTIONS')).toEqual({
    status: 204,
    headers: {
      'access-control-allow-origin': '*',
      'access-control-allow-methods': 'PUT',
      'access-control-allow-headers': 'x-a,authorization',
    },
  });
});

test("a stranger's preflight is answered and allows nothing", async () => {
  expect(await answer({ CORS: 'https://two.example' }, preflight, 'OPTIONS')).toEqual({ status: 204, headers: {} });
});

test('OPTIONS that is no preflight, and a preflight without CORS, reach the function', async () => {
  expect((await answer({ CORS: '*' }, one, 'OPTIONS')).status).toBe(299);
  await server?.stop();
  expect((await answer({}, preflight, 'OPTIONS')).status).toBe(299);
});
