import { execFileSync } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { MiniBatchEngine } from '../shared/scoring/engine.ts';
import { pythonEngine } from '../shared/scoring/python/engine.ts';
import { z } from 'zod';
import { inProcessOfItsOwn } from './app-in-process.ts';
import { median, type Figure } from './figure.ts';

const PYTHON = process.env['BATCHPOINT_PYTHON'] ?? 'python3';
const ROUNDS = 5;
const MINI_BATCHES = 100;
const FILES = 10;
const BUSY_MINI_BATCHES = 8;

/** Reads small files, as a script does that has little to do. */
const READING = `
def init():
    pass

def run(mini_batch):
    return [[path, sum(open(path, "rb").read())] for path in mini_batch]
`;

/** About a third of a second of Python for each mini-batch. */
const BUSY = `
def init():
    pass

def run(mini_batch):
    return [sum(i * i for i in range(4000000))]
`;

/** The same script in a loop without us; prints milliseconds. */
const BARE_LOOP = `
import sys, time
sys.path.insert(0, sys.argv[1])
import reading
batches = [["%s/%d-%d" % (sys.argv[2], batch, file) for file in range(${FILES})] for batch in range(${MINI_BATCHES})]
reading.init()
reading.run(batches[0])
started = time.perf_counter()
for batch in batches:
    reading.run(batch)
print((time.perf_counter() - started) * 1000)
`;

/** What the workers, and a whole job, cost beside the script's own work, and what a second worker gives. */
export async function pythonWorkers(keyFile: string, add: (figure: Figure) => void): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'batchpoint-bench-python-'));
  try {
    await overhead(folder, keyFile, add);
    await twoWorkers(folder, add);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function overhead(folder: string, keyFile: string, add: (figure: Figure) => void): Promise<void> {
  const data = join(folder, 'data');
  const script = join(folder, 'reading.py');
  await mkdir(data);
  await writeFile(script, READING);
  const batches = Array.from({ length: MINI_BATCHES }, (_, batch) =>
    Array.from({ length: FILES }, (_, file) => join(data, `${batch}-${file}`)),
  );
  for (const path of batches.flat()) await writeFile(path, 'x'.repeat(1000));
  const costs = { worker: new Array<number>(), job: new Array<number>() };
  const engine = await engineOf(folder, 'reading.py', 1);
  try {
    await score(engine, folder, batches[0] ?? []);
    for (let round = 0; round < ROUNDS; round++) {
      const bare = Number(execFileSync(PYTHON, ['-c', BARE_LOOP, folder, data], { encoding: 'utf8' }));
      const started = performance.now();
      for (const paths of batches) await score(engine, folder, paths);
      costs.worker.push((performance.now() - started - bare) / MINI_BATCHES);
      const job = await inProcessOfItsOwn('./python-process.ts', [script, data], keyFile, z.number());
      costs.job.push((job - bare) / MINI_BATCHES);
    }
  } finally {
    await engine.close();
  }
  add({ name: 'python_worker_ms', value: median(costs.worker), unit: 'ms', target: { atMost: 5 } });
  add({ name: 'python_overhead_ms', value: median(costs.job), unit: 'ms', target: { atMost: 5 } });
}

async function twoWorkers(folder: string, add: (figure: Figure) => void): Promise<void> {
  await writeFile(join(folder, 'busy.py'), BUSY);
  const gains: number[] = [];
  const one = await engineOf(folder, 'busy.py', 1);
  const two = await engineOf(folder, 'busy.py', 2);
  try {
    await allOf(two, folder, 2);
    for (let round = 0; round < ROUNDS; round++) {
      gains.push((await allOf(one, folder, BUSY_MINI_BATCHES)) / (await allOf(two, folder, BUSY_MINI_BATCHES)));
    }
  } finally {
    await Promise.all([one.close(), two.close()]);
  }
  add({ name: 'python_two_workers', value: median(gains), unit: 'x', target: { atLeast: 1.7 } });
}

/** Milliseconds for mini-batches that are asked for at once. */
async function allOf(engine: MiniBatchEngine, folder: string, count: number): Promise<number> {
  const started = performance.now();
  await Promise.all(Array.from({ length: count }, () => score(engine, folder, ['a'])));
  return performance.now() - started;
}

function engineOf(folder: string, script: string, workers: number): Promise<MiniBatchEngine> {
  return pythonEngine({
    python: PYTHON,
    workers,
    codeFolder: folder,
    script,
    modelFolder: folder,
    environmentVariables: {},
    loggingLevel: 'Info',
    idleMs: 600_000,
  });
}

async function score(engine: MiniBatchEngine, outputFolder: string, paths: readonly string[]): Promise<void> {
  const miniBatch = { files: paths.map((path) => ({ name: path, path })), outputFolder };
  const options = { outputFormat: 'csv' as const, summaryOnly: false };
  let rows = 0;
  const run = { options, timeoutMs: 600_000, signal: new AbortController().signal, print: () => undefined };
  for await (const part of engine.score(miniBatch, run)) if (part.type === 'rows') rows += part.rows;
  if (rows !== paths.length) throw new Error(`The script gave ${rows} rows for ${paths.length} files.`);
}
