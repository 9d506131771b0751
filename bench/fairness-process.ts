import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PROJECT } from '../cli/stack.ts';
import { appInProcess } from './app-in-process.ts';
import { numericCsv } from './data.ts';
import type { Fairness } from './fairness.ts';

const LARGE = 10_000;
const EQUAL = 400;
/** As in host.json. */
const SLOTS = 2;
const ENDPOINT = 'mlp';

/** A slice's start, by the row that it inserts first. */
interface Begun {
  readonly job: string;
  readonly at: number;
}

const { put, deploy, run, invoke, ended, jobs } = await appInProcess();
const begun: Begun[] = [];
const { markStart, transition } = jobs;
const planned = new Map<string, number>();
Object.assign(jobs, {
  markStart: (job: string, part: string) => {
    begun.push({ job, at: performance.now() });
    return markStart(job, part);
  },
  transition: async (...args: Parameters<typeof transition>) => {
    const record = await transition(...args);
    if (record?.state === 'scoring' && !planned.has(args[0])) planned.set(args[0], performance.now());
    return record;
  },
} satisfies Partial<typeof jobs>);

await put('model.onnx', await readFile(join(PROJECT, 'bench/models/mlp/model.onnx')));
await deploy(ENDPOINT, 'model.onnx', { miniBatchSize: 1, maxConcurrencyPerInstance: SLOTS });
const csv = numericCsv(1);
const fill = async (folder: string, files: number): Promise<void> => {
  for (let file = 0; file < files; file++) await put(`${folder}/${String(file).padStart(5, '0')}.csv`, csv);
};
for (const [folder, files] of Object.entries({ warm: 20, one: 1, equal: EQUAL, large: LARGE }))
  await fill(folder, files);
await run(ENDPOINT, 'warm');

const large = await invoke(ENDPOINT, 'large');
while (begun.filter(({ job }) => job === large).length < SLOTS) await new Promise((resolve) => setTimeout(resolve, 10));
const asked = performance.now();
const one = await invoke(ENDPOINT, 'one');
await ended(ENDPOINT, one);
const first = begun.find(({ job }) => job === one)?.at ?? NaN;
const waits = planned.get(one) ?? NaN;
await ended(ENDPOINT, large);

const began = performance.now();
const five = await Promise.all(Array.from({ length: 5 }, () => invoke(ENDPOINT, 'equal')));
const ends = await Promise.all(
  five.map(async (job) => {
    await ended(ENDPOINT, job);
    return performance.now() - began;
  }),
);
process.send?.({
  waitMs: first - asked,
  laneWaitMs: first - waits,
  spread: (Math.max(...ends) - Math.min(...ends)) / Math.max(...ends),
} satisfies Fairness);
