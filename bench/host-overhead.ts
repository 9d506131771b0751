import { inProcessOfItsOwn } from './app-in-process.ts';
import { median, type Figure } from './figure.ts';
import { OverheadAnswer } from './overhead-answer.ts';

const ROUNDS = 3;

/**
 * What a mini-batch costs beside its data: jobs of 1,000 to 100,000 one-row mini-batches on the storage adapters in memory, because
 * Azurite slows down as it fills. A larger job may not cost more by the mini-batch; nor may its memory, beside what it stores, grow.
 */
export async function hostOverhead(keyFile: string, add: (figure: Figure) => void): Promise<void> {
  const sizes = [1000, 10_000, 100_000] as const;
  const rounds: OverheadAnswer[][] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const answers: OverheadAnswer[] = [];
    for (const size of sizes) answers.push(await overhead(keyFile, size));
    rounds.push(answers);
  }
  const of = (size: number, field: keyof OverheadAnswer): number =>
    median(rounds.map((answers) => answers[size]?.[field] ?? NaN));
  const small = of(0, 'msPerMiniBatch');
  add({ name: 'overhead_ms_1k', value: small, unit: 'ms', target: { atMost: 10 } });
  add({ name: 'overhead_ms_10k', value: of(1, 'msPerMiniBatch'), unit: 'ms', target: { atMost: small * 1.1 } });
  add({ name: 'overhead_ms_100k', value: of(2, 'msPerMiniBatch'), unit: 'ms', target: { atMost: small * 1.2 } });
  add({ name: 'slices_100k', value: of(2, 'slicesPerMiniBatch'), unit: 'per mini-batch', target: { atMost: 0.1 } });
  add({
    name: 'first_row_ms_100k',
    value: of(2, 'firstRowMs'),
    unit: 'ms',
    target: { atMost: of(1, 'firstRowMs') * 1.5 },
  });
  add({ name: 'grown_mb_100k', value: of(2, 'grownMb'), unit: 'MB', target: { atMost: of(1, 'grownMb') * 1.5 } });
}

/** A job of so many mini-batches of one row. */
export const overhead = (keyFile: string, miniBatches: number): Promise<OverheadAnswer> =>
  inProcessOfItsOwn('./overhead-process.ts', [String(miniBatches)], keyFile, OverheadAnswer);
