import { csvTokenizer } from '../shared/formats/csv-tokenizer.ts';
import { CellKind, type RecordTarget } from '../shared/formats/record-target.ts';
import { bareLoop, bareSession, parseOnly } from './bare-loop.ts';
import { COLUMNS, numericCsv } from './data.ts';
import { median, type Figure } from './figure.ts';
import { modelFile, scoringApp, type BenchModel, type ScoringApp } from './scoring-app.ts';

const ROWS = 1_000_000;
const ROUNDS = 5;

/**
 * Rows a second of whole jobs, from the request to Completed, through HTTP, host and Azurite, as ratios of a bare loop over the
 * same bytes in the same round. A round before the counted ones warms everything up.
 */
export async function throughput(keyFile: string, add: (figure: Figure) => void): Promise<void> {
  const csv = numericCsv(ROWS);
  const app = await scoringApp(keyFile);
  try {
    await app.data.getBlockBlobClient('one/a.csv').uploadData(csv);
    for (const name of ['a', 'b']) await app.data.getBlockBlobClient(`two/${name}.csv`).uploadData(csv);
    const sessions = { mlp: await bareSession(modelFile('mlp')), trees: await bareSession(modelFile('trees')) };
    const ratios = {
      mlp: new Array<number>(),
      trees: new Array<number>(),
      lanes: new Array<number>(),
      csv: new Array<number>(),
    };
    for (let round = 0; round <= ROUNDS; round++) {
      const mlp = (await rate(app, 'mlp', 'one/')) / (await bareLoop(csv, sessions.mlp));
      const bareTrees = await bareLoop(csv, sessions.trees);
      const trees = (await rate(app, 'trees', 'one/')) / bareTrees;
      const lanes = (await rate(app, 'trees', 'two/', { maxConcurrencyPerInstance: 2 })) / bareTrees;
      const tokenizer = tokenizeOnly(csv) / parseOnly(csv);
      if (round === 0) continue;
      ratios.mlp.push(mlp);
      ratios.trees.push(trees);
      ratios.lanes.push(lanes);
      ratios.csv.push(tokenizer);
    }
    add({ name: 'e2e_ratio_mlp', value: median(ratios.mlp), unit: 'ratio', target: { atLeast: 0.4 } });
    add({ name: 'e2e_ratio_trees', value: median(ratios.trees), unit: 'ratio', target: { atLeast: 0.6 } });
    add({ name: 'e2e_ratio_trees_2lanes', value: median(ratios.lanes), unit: 'ratio', target: { atLeast: 1.1 } });
    add({ name: 'csv_ratio', value: median(ratios.csv), unit: 'ratio', target: { atLeast: 0.8 } });
  } finally {
    await app.stop();
  }
}

async function rate(
  app: ScoringApp,
  model: BenchModel,
  folder: string,
  settings?: Readonly<Record<string, unknown>>,
): Promise<number> {
  const { rows, seconds } = await app.run(model, folder, settings);
  return rows / seconds;
}

const BATCH = 4096;
const CHUNK = 64 * 1024;

/** Our tokenizer alone, in chunks as they come from storage. Answers records a second. */
export function tokenizeOnly(csv: Buffer): number {
  let records = 0;
  const values = new Float32Array(BATCH * COLUMNS);
  const target: RecordTarget = {
    wanted: [],
    open: () => ({
      width: COLUMNS,
      kinds: new Uint8Array(COLUMNS).fill(CellKind.Decimal),
      base: Int32Array.from({ length: COLUMNS }, (_, column) => column),
      step: new Int32Array(COLUMNS).fill(COLUMNS),
      values,
    }),
    cell: () => undefined,
    kept: (slot) => slot + 1 >= BATCH,
    failed: () => {
      throw new Error('the bench has no bad records');
    },
  };
  const started = performance.now();
  const tokenizer = csvTokenizer({ delimiter: ',', header: true }, target);
  const used = (): void => {
    records += tokenizer.slots;
    tokenizer.clear();
  };
  for (let from = 0; from < csv.length; from += CHUNK) {
    const chunk = csv.subarray(from, Math.min(csv.length, from + CHUNK));
    for (let offset = 0; offset < chunk.length;) {
      offset = tokenizer.push(chunk, offset);
      if (tokenizer.full) used();
    }
  }
  while (!tokenizer.end()) used();
  used();
  return records / ((performance.now() - started) / 1000);
}
