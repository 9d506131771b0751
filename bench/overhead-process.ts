import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PROJECT } from '../cli/stack.ts';
import { appInProcess } from './app-in-process.ts';
import { numericCsv } from './data.ts';

/** Runs one job of so many one-row mini-batches and tells what each cost, in milliseconds. */
const miniBatches = Number(process.argv[2]);

const { put, deploy, run } = await appInProcess();
await put('model.onnx', await readFile(join(PROJECT, 'bench/models/mlp/model.onnx')));
await deploy('mlp', 'model.onnx', { miniBatchSize: 1, maxConcurrencyPerInstance: 2 });
const csv = numericCsv(1);
for (const folder of ['warm-up', 'measured'])
  for (let file = 0; file < (folder === 'measured' ? miniBatches : 50); file++)
    await put(`${folder}/${String(file).padStart(6, '0')}.csv`, csv);
await run('mlp', 'warm-up');
process.send?.((await run('mlp', 'measured')) / miniBatches);
