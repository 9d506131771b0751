import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PROJECT } from '../cli/stack.ts';
import { appInProcess } from './app-in-process.ts';
import { numericCsv } from './data.ts';
import type { OverheadAnswer } from './overhead-answer.ts';

/** Runs one job over so many one-row files, so many in a mini-batch (by default one), and tells what it cost. */
const [files = 0, miniBatchSize = 1] = process.argv.slice(2).map(Number);

const LOOK_MS = 200;
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
const before = process.memoryUsage.rss();
let peak = before;
const looking = setInterval(() => (peak = Math.max(peak, process.memoryUsage.rss())), LOOK_MS);
const { name, ms, firstRowMs } = await run('mlp', 'measured');
clearInterval(looking);
const miniBatches = Math.ceil(files / miniBatchSize);
process.send?.({
  msPerMiniBatch: ms / miniBatches,
  slicesPerMiniBatch: (await receipts(name)) / miniBatches,
  firstRowMs,
  grownMb: Math.round((peak - before) / MiB),
  heldMb: Math.round(before / MiB),
} satisfies OverheadAnswer);
