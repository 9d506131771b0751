import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PROJECT } from '../cli/stack.ts';
import { appInProcess } from './app-in-process.ts';
import { numericCsv } from './data.ts';
import { liveBytes } from './live-bytes.ts';
import type { OverheadAnswer } from './overhead-answer.ts';

/**
 * Runs one job over so many one-row files, so many in a mini-batch (by default one), and tells what it cost. With `live` as the third
 * word its memory is looked at after a collection each time, which takes time itself.
 */
const [files = 0, miniBatchSize = 1] = process.argv.slice(2, 4).map(Number);
const memory =
  process.argv[4] === 'live'
    ? { everyMs: 2000, bytes: liveBytes() }
    : { everyMs: 200, bytes: async () => process.memoryUsage.rss() };

const MiB = 1024 * 1024;

const { put, deploy, run, receipts } = await appInProcess();
await put('model.onnx', await readFile(join(PROJECT, 'bench/models/mlp/model.onnx')));
await deploy('mlp', 'model.onnx', { miniBatchSize, maxConcurrencyPerInstance: 2 });
const csv = numericCsv(1);
for (const folder of ['warm-up', 'measured'])
  for (let file = 0; file < (folder === 'measured' ? files : 50); file++)
    await put(`${folder}/${String(file).padStart(7, '0')}.csv`, csv);
await run('mlp', 'warm-up');

// What lies there by now are the blobs and the warm app; what comes on top is the job's.
const before = await memory.bytes();
let peak = before;
const look = async (): Promise<void> => {
  peak = Math.max(peak, await memory.bytes());
};
const looking = setInterval(() => void look(), memory.everyMs);
const { name, ms, firstRowMs } = await run('mlp', 'measured');
clearInterval(looking);
await look();
const miniBatches = Math.ceil(files / miniBatchSize);
process.send?.({
  msPerMiniBatch: ms / miniBatches,
  slicesPerMiniBatch: (await receipts(name)) / miniBatches,
  firstRowMs,
  grownMb: Math.round((peak - before) / MiB),
  heldMb: Math.round(before / MiB),
} satisfies OverheadAnswer);
