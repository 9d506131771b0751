import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { startAzurite } from '../cli/azurite.ts';
import { startChild, type Child } from '../cli/child.ts';
import { PROJECT, startStack } from '../cli/stack.ts';
import { median, type Figure } from './figure.ts';

const ROUNDS = 5;
const APP = fileURLToPath(new URL('./durable-app', import.meta.url));

interface Host {
  readonly child: Child;
  readonly url: string;
}

/**
 * The embedded host on Azurite in memory: seconds of a fan-out, of a chain, of its own start, and from a start after `kill -9`
 * with 3,000 activities open to the first of them that runs again.
 */
export async function durableHost(keyFile: string, add: (figure: Figure) => void): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'batchpoint-durable-'));
  const azurite = await startAzurite({ ports: [0, 0, 0] });
  const log = join(folder, 'log.txt');
  const start = (): Promise<Host> => startHost({ AzureWebJobsStorage: azurite.connectionString, BENCH_LOG: log });
  let host = await start();
  try {
    const times: Record<'fan' | 'chain' | 'ready' | 'resume', number[]> = { fan: [], chain: [], ready: [], resume: [] };
    await ended(host, await begin(host, 'chain', { times: 10 }));
    for (let round = 0; round < ROUNDS; round++) {
      times.fan.push(await timed(host, 'fanOfFans', { fans: 100, times: 100 }));
      times.chain.push(await timed(host, 'chain', { times: 100 }));
      times.ready.push(await startOfApp(keyFile));
    }
    for (let round = 0; round < ROUNDS; round++) {
      await writeFile(log, '');
      const id = await begin(host, 'fan', { activity: 'logged', times: 3500 });
      // So many have begun that 3,000 are still open.
      while ((await runsOf(log)).length < 400) await wait(10);
      host.child.process.kill('SIGKILL');
      await host.child.ended;
      const killed = Date.now();
      host = await start();
      times.resume.push((await firstOf(log, host)) - killed);
      await fetch(`${host.url}/instances/${id}/terminate`, { method: 'POST' });
      await ended(host, id);
    }
    const seconds = (values: readonly number[]): number => median(values) / 1000;
    add({ name: 'fan_out_10k_s', value: seconds(times.fan), unit: 's', target: { atMost: 4 } });
    add({ name: 'chain_100_s', value: seconds(times.chain), unit: 's', target: { atMost: 1.5 } });
    add({ name: 'host_ready_s', value: seconds(times.ready), unit: 's', target: { atMost: 1.5 } });
    add({ name: 'resume_3000_s', value: seconds(times.resume), unit: 's', target: { atMost: 1 } });
  } finally {
    await host.child.stop();
    await azurite.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

async function startHost(env: Readonly<Record<string, string>>): Promise<Host> {
  const child = startChild(join(PROJECT, 'dist/local/main.js'), ['--port', '0', '--root', APP], { env });
  const message: unknown = (await once(child.process, 'message'))[0];
  const { port } = z.object({ port: z.number() }).parse(message);
  return { child, url: `http://127.0.0.1:${port}/runtime/webhooks/durabletask` };
}

async function begin({ url }: Host, name: string, input: object): Promise<string> {
  const answer = await fetch(`${url}/orchestrators/${name}`, { method: 'POST', body: JSON.stringify(input) });
  return z.object({ id: z.string() }).parse(await answer.json()).id;
}

async function ended({ url }: Host, id: string): Promise<void> {
  for (;;) {
    const { runtimeStatus } = z
      .object({ runtimeStatus: z.string() })
      .parse(await (await fetch(`${url}/instances/${id}`)).json());
    if (runtimeStatus === 'Failed') throw new Error(`instance ${id} failed`);
    if (runtimeStatus === 'Completed' || runtimeStatus === 'Terminated') return;
    await wait(10);
  }
}

async function timed(host: Host, name: string, input: object): Promise<number> {
  const started = performance.now();
  await ended(host, await begin(host, name, input));
  return performance.now() - started;
}

/** The whole app over storage that runs already. */
async function startOfApp(keyFile: string): Promise<number> {
  const azurite = await startAzurite({ ports: [0, 0, 0] });
  const started = performance.now();
  const stack = await startStack({ port: 0, storagePort: 0, keyFile, azurite });
  const ms = performance.now() - started;
  await stack.stop();
  await azurite.stop();
  return ms;
}

/** Process and time of each activity that began. */
async function runsOf(log: string): Promise<{ pid: number; at: number }[]> {
  const lines = (await readFile(log, 'utf8')).split('\n').filter((line) => line !== '');
  return lines.map((line) => {
    const [pid = NaN, at = NaN] = line.split(' ').map(Number);
    return { pid, at };
  });
}

async function firstOf(log: string, { child }: Host): Promise<number> {
  for (;;) {
    const found = (await runsOf(log)).find(({ pid }) => pid === child.process.pid);
    if (found) return found.at;
    await wait(5);
  }
}
