import { readFileSync } from 'node:fs';
import { numericCsv } from '../../../bench/data.ts';
import { onnxEngine } from '../../../shared/scoring/onnx/engine.ts';
import { scoringPlaces } from '../../../shared/scoring/scoring-places.ts';

/** See abort-while-scoring.test.ts. Tells its parent how many aborts were thrown, and the rows of a file scored after them. */
const engine = await onnxEngine({
  model: readFileSync(new URL('../../../bench/models/trees/model.onnx', import.meta.url)),
  places: scoringPlaces(2),
});
const csv = numericCsv(20_000);
const options = { outputFormat: 'csv', csvHeader: true, csvDelimiter: ',', missing: 'error' } as const;

async function rowsOf(signal: AbortSignal): Promise<number> {
  let rows = 0;
  const file = {
    name: 'a.csv',
    length: csv.length,
    body: (async function* () {
      yield csv;
    })(),
    range: async (offset: number, count: number) => csv.subarray(offset, offset + count),
  };
  for await (const part of engine.score(file, options, signal)) rows += part.rows;
  return rows;
}

let aborted = 0;
for (let round = 0; round < 20; round++) {
  const stop = new AbortController();
  setTimeout(() => stop.abort(new Error('stopped')), 2 + round * 2);
  try {
    await rowsOf(stop.signal);
  } catch (error) {
    if (error instanceof Error && error.message === 'stopped') aborted++;
    else throw error;
  }
}
const rows = await rowsOf(new AbortController().signal);
await engine.close();
process.send?.({ aborted, rows });
process.disconnect();
