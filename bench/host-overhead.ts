import { inProcessOfItsOwn } from './app-in-process.ts';
import { median, type Figure } from './figure.ts';

const ROUNDS = 5;

/**
 * What a mini-batch costs beside its data: jobs of 1,000 and 10,000 one-row mini-batches on the storage adapters in memory,
 * because Azurite slows down as it fills. The larger job may not cost more by the mini-batch.
 */
export async function hostOverhead(keyFile: string, add: (figure: Figure) => void): Promise<void> {
  const few: number[] = [];
  const many: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    few.push(await overhead(keyFile, 1000));
    many.push(await overhead(keyFile, 10_000));
  }
  const small = median(few);
  add({ name: 'overhead_ms_1k', value: small, unit: 'ms', target: { atMost: 10 } });
  add({ name: 'overhead_ms_10k', value: median(many), unit: 'ms', target: { atMost: small * 1.1 } });
}

/** Milliseconds by mini-batch of a job of so many. */
export const overhead = (keyFile: string, miniBatches: number): Promise<number> =>
  inProcessOfItsOwn('./overhead-process.ts', [String(miniBatches)], keyFile);
