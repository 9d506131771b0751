import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { PROJECT, startStack, type Stack } from '../../cli/stack.ts';
import { WORKSPACE } from '../support/app.ts';
import { DEFAULT_AUDIENCE } from '../support/running-app.ts';
import { ensureVirtualEnvironment } from '../../cli/virtual-environment.ts';
import { fuzzSeed } from './seed.ts';
import { storedState } from './stored-state.ts';

/** What every answer must be: no fault of ours, a status and a type that are documented, a body of the documented schema. */
const CHECKS = 'not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance';

let folder: string;
let python: string;
let stack: Stack;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'batchpoint-schemathesis-'));
  python = await ensureVirtualEnvironment({
    folder: join(PROJECT, '.venv-fuzz'),
    requirements: join(PROJECT, 'test/fuzz/requirements.txt'),
    purpose: 'schemathesis',
  });
  // One caller sends all of it, as fast as it can.
  const settings = { BATCHPOINT_REQUESTS_PER_SECOND: '10000' };
  stack = await startStack({ port: 0, storagePort: 0, keyFile: join(folder, 'key.json'), settings });
});
afterAll(async () => {
  await stack.stop();
  await rm(folder, { recursive: true });
});

it('a reader’s requests are answered as the document says, and change nothing', async () => {
  // The first change makes the app's own key; a reader has something to see then.
  const made = await fetch(`${stack.url}${WORKSPACE}/batchEndpoints/seen`, {
    method: 'PUT',
    headers: { authorization: `Bearer ${await token('Batchpoint.Owner')}`, 'content-type': 'application/json' },
    body: '{}',
  });
  expect(made.status).toBe(201);
  const before = await storedState(stack.connectionString);
  await schemathesis('Batchpoint.Reader', 20);
  expect(await storedState(stack.connectionString)).toEqual(before);
});

it('an owner’s requests are answered as the document says', async () => {
  await schemathesis('Batchpoint.Owner', 30);
});

const token = (role: string): Promise<string> => stack.issuer.sign({ audience: DEFAULT_AUDIENCE, roles: [role] });

/** Runs it over the served document as somebody with a role; throws with its report when it found something. */
async function schemathesis(role: string, seconds: number): Promise<void> {
  const args = [
    ...['--config-file', join(PROJECT, 'test/fuzz/schemathesis.toml')],
    ...['run', `${stack.url}/openapi.json`, '--header', `Authorization: Bearer ${await token(role)}`],
    // One worker: under Python 3.11 two of them break its parser ("AST constructor recursion depth mismatch").
    ...['--phases', 'coverage,fuzzing', '--max-time', String(seconds), '--max-examples', '20', '--workers', '1'],
    ...['--seed', String(fuzzSeed()), '--checks', CHECKS, '--continue-on-failure', '--request-timeout', '20'],
    ...['--suppress-health-check', 'all', '--warnings', 'off', '--generation-database', 'none', '--no-color'],
  ];
  const child = spawn(join(dirname(python), 'st'), args, {
    cwd: folder,
    env: { ...process.env, PYTHONDONTWRITEBYTECODE: '1' },
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (output += chunk.toString()));
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  if (code !== 0) throw new Error(`schemathesis found something as ${role}:\n${output}`);
  const cases = /(\d+) generated, (\d+) passed/.exec(output);
  expect(Number(cases?.[2])).toBeGreaterThan(0);
  console.log(`schemathesis as ${role}: ${cases?.[0]}`);
}
