import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { DEFAULT_AUDIENCE, runningApp } from '../support/running-app.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'batchpoint-e2e-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const place = { FUNCTIONS_BASE_URL: 'http://127.0.0.1:7071/', FUNCTIONS_STORAGE: 'UseDevelopmentStorage=true' };

test.each([{}, { FUNCTIONS_BASE_URL: '', FUNCTIONS_STORAGE: '' }])('%j names no app', (env) => {
  expect(runningApp(env)).toBeUndefined();
});

test.each([
  { FUNCTIONS_BASE_URL: place.FUNCTIONS_BASE_URL },
  { FUNCTIONS_TOKEN: 't' },
  { ...place },
  { FUNCTIONS_STORAGE: place.FUNCTIONS_STORAGE, FUNCTIONS_TOKEN: 't' },
])('%j names half an app and is refused', (env) => {
  expect(() => runningApp(env)).toThrow(
    'A running app needs FUNCTIONS_BASE_URL, FUNCTIONS_STORAGE, and FUNCTIONS_TOKEN',
  );
});

test('a token is for one audience, and is not shown', async () => {
  const app = runningApp({ ...place, FUNCTIONS_TOKEN: 'secret' });
  expect(app).toMatchObject({
    url: 'http://127.0.0.1:7071',
    storage: 'UseDevelopmentStorage=true',
    description: 'the app at http://127.0.0.1:7071, with the token of FUNCTIONS_TOKEN',
  });
  expect(await app?.sign(DEFAULT_AUDIENCE)).toBe('secret');
  await expect(app?.sign('https://ml.azure.com')).rejects.toThrow('give FUNCTIONS_KEY_FILE');
});

test('a key signs tokens for any audience', async () => {
  const app = runningApp({ ...place, FUNCTIONS_KEY_FILE: join(folder, 'key.json') });
  const [, claims = ''] = (await app?.sign('https://ml.azure.com'))?.split('.') ?? [];
  expect(JSON.parse(Buffer.from(claims, 'base64url').toString('utf8'))).toMatchObject({ aud: 'https://ml.azure.com' });
});
