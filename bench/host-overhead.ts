import { inProcessOfItsOwn } from './app-in-process.ts';
import { median, type Figure } from './figure.ts';
import { OverheadAnswer } from './overhead-answer.ts';

const ROUNDS = 3;

/** Room for what a job of 100,000 files stores in the memory of the same process: its plan, output, receipts and log are about 9 MB. */
const STORED_MB = 20;

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
  // What V8 lets lie before it collects is not the job's.
  const live = async (size: number): Promise<number> => (await overhead(keyFile, size, 'live')).grownMb;
  const few = await live(sizes[1]);
  add({ name: 'live_mb_100k', value: await live(sizes[2]), unit: 'MB', target: { atMost: few + STORED_MB } });
}

/** What a job of so many mini-batches costs; `live` looks at its memory after a collection each time. */
export const overhead = (
  keyFile: string,
  miniBatches: number,
  memory: 'resident' | 'live' = 'resident',
): Promise<OverheadAnswer> =>
  inProcessOfItsOwn('./overhead-process.ts', [String(miniBatches), '1', memory], keyFile, OverheadAnswer);
