import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { loadDevIssuer } from '../cli/dev-issuer.ts';
import { median, type Figure } from './figure.ts';
import { MillisecondsPerMiniBatch } from './overhead-message.ts';

const ROUNDS = 5;

/**
 * What a mini-batch costs beside its data: jobs of 1,000 and 10,000 one-row mini-batches on the storage adapters in memory,
 * because Azurite slows down as it fills. The larger job may not cost more by the mini-batch.
 */
export async function hostOverhead(keyFile: string, add: (figure: Figure) => void): Promise<void> {
  const issuer = await loadDevIssuer(keyFile);
  const token = await issuer.sign({ audience: 'api://batchpoint', lifetimeSeconds: 7200 });
  const few: number[] = [];
  const many: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    few.push(await measured(1000, issuer.jwks, token));
    many.push(await measured(10_000, issuer.jwks, token));
  }
  const small = median(few);
  add({ name: 'overhead_ms_1k', value: small, unit: 'ms', target: { atMost: 10 } });
  add({ name: 'overhead_ms_10k', value: median(many), unit: 'ms', target: { atMost: small * 1.1 } });
}

/** A process of its own for each: the storage is in its memory. */
async function measured(miniBatches: number, jwks: string, token: string): Promise<number> {
  const child = fork(fileURLToPath(new URL('./overhead-process.ts', import.meta.url)), [String(miniBatches)], {
    env: {
      ...process.env,
      AzureWebJobsStorage: 'memory',
      BATCHPOINT_STATE: 'memory',
      BATCHPOINT_DATASTORES: '[{"name":"workspaceblobstore","connection":"memory","container":"data"}]',
      BATCHPOINT_DEV_JWKS: jwks,
      BATCHPOINT_LOG_LEVEL: 'error',
      BENCH_TOKEN: token,
    },
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  const ended = once(child, 'exit').then(() => {
    throw new Error('the overhead process ended without an answer');
  });
  const answer: unknown = (await Promise.race([once(child, 'message'), ended]))[0];
  child.kill('SIGKILL');
  return MillisecondsPerMiniBatch.parse(answer).millisecondsPerMiniBatch;
}
