import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { loadDevIssuer, type DevIssuer } from '../../cli/dev-issuer.ts';
import { apiWorld } from '../unit/api/api-world.ts';
import { requestOf } from './arbitrary-request.ts';
import { fuzzedApp, tokensOf } from './fuzzed-app.ts';
import { fuzzSeed } from './seed.ts';

const REQUESTS = Number(process.env['FUZZ_REQUESTS'] ?? 10_000);
/** The most that one app gets, half as many on average: enough that some meet what others have made. */
const IN_A_ROW = 80;

let folder: string;
let issuer: DevIssuer;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'batchpoint-fuzz-'));
  issuer = await loadDevIssuer(join(folder, 'key.json'), {});
});
afterAll(() => rm(folder, { recursive: true }));

it('answers whatever is sent, in the envelope, and changes nothing when it refuses', async () => {
  const seed = fuzzSeed();
  const tokens = await tokensOf(issuer);
  const { call } = await apiWorld(issuer);
  const request = requestOf((await call('GET', '/openapi.json')).body);
  const statuses = new Map<number, number>();
  let left = REQUESTS;
  await fc.assert(
    fc.asyncProperty(fc.array(request, { minLength: 1, maxLength: IN_A_ROW, size: 'max' }), async (requests) => {
      if (left <= 0) return;
      const send = await fuzzedApp(issuer, tokens);
      for (const one of requests) {
        const status = await send(one);
        statuses.set(status, (statuses.get(status) ?? 0) + 1);
      }
      left -= requests.length;
    }),
    { seed, numRuns: REQUESTS },
  );
  const counts = [...statuses].sort(([one], [other]) => one - other);
  console.log(`generated: ${counts.map(([status, count]) => `${count} × ${status}`).join(', ')}`);
  expect(counts.reduce((sum, [, count]) => sum + count, 0)).toBeGreaterThanOrEqual(REQUESTS);
});
