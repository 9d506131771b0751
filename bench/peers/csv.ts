import { bareLoop, bareSession } from '../bare-loop.ts';
import { numericCsv } from '../data.ts';
import { modelFile, type ScoringApp } from '../scoring-app.ts';
import { contest } from './contest.ts';
import type { Workbench } from './workbench.ts';

const ROWS = 1_000_000;
const SMALL_FILES = 2000;
const ROWS_OF_SMALL = 100;

/** One CSV of 1,000,000 rows of 13 numbers and a small network: reading and writing is most of the work. */
export async function csvMlp(bench: Workbench): Promise<void> {
  const app = await bench.app();
  await oneFile(app);
  const targets = { pandas: 3, polars: 1, ray: 3 };
  await contest(bench, {
    ...{ name: 'csv_mlp', app, endpoint: 'mlp', model: modelFile('mlp'), folder: 'one/' },
    ...{ settings: bench.oneFile, targets },
  });
}

/** The same with 100 trees of depth 6: the model is most of the work. */
export async function csvTrees(bench: Workbench): Promise<void> {
  const app = await bench.app();
  const csv = await oneFile(app);
  const session = await bareSession(modelFile('trees'));
  const others = { bare: async () => ROWS / (await bareLoop(csv, session)) };
  const targets = { pandas: 2, polars: 1.2, ray: 2, bare: 1.2 };
  await contest(bench, {
    ...{ name: 'csv_trees', app, endpoint: 'trees', model: modelFile('trees'), folder: 'one/' },
    ...{ settings: bench.oneFile, targets, others },
  });
}

async function oneFile(app: ScoringApp): Promise<Buffer> {
  const csv = numericCsv(ROWS);
  await app.data.getBlockBlobClient('one/a.csv').uploadData(csv);
  return csv;
}

/** 2,000 CSV files of 100 rows: requests are most of the work. */
export async function smallCsv(bench: Workbench): Promise<void> {
  const app = await bench.app();
  for (let file = 0; file < SMALL_FILES; file++) {
    const name = `small/${String(file).padStart(4, '0')}.csv`;
    await app.data.getBlockBlobClient(name).uploadData(numericCsv(ROWS_OF_SMALL, file + 1));
  }
  await contest(bench, {
    ...{ name: 'small_csv', app, endpoint: 'mlp', model: modelFile('mlp'), folder: 'small/' },
    ...{
      settings: { miniBatchSize: 100, maxConcurrencyPerInstance: 2 },
      targets: { pandas: 3, pandas_loop: 3, ray: 3 },
    },
  });
}
