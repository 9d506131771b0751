import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { Session } from 'node:inspector/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { scoreFile } from '../shared/scoring/onnx/file-scorer.ts';
import { loadModel } from '../shared/scoring/onnx/model.ts';
import { numericCsv } from './data.ts';
import { modelFile, scoringApp, type BenchModel } from './scoring-app.ts';

const ROWS = 1_000_000;
const SHOWN = 12;
const CHUNK = 256 * 1024;

/**
 * Where the time goes: CPU profiles of the scoring thread's work (parse, score, encode; here in this thread, over bytes in
 * memory) and of the app's main thread during a whole job. Prints the functions with the most self time; the profiles
 * themselves, for Chrome's DevTools, are kept in `folder`.
 */
export async function profile(keyFile: string, folder: string): Promise<void> {
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  const csv = numericCsv(ROWS);
  for (const model of ['mlp', 'trees'] as const) {
    const text = await scoringThread(csv, model);
    await writeFile(join(folder, `scoring-thread-${model}.cpuprofile`), text);
    print(`scoring thread, ${model}`, text);
  }
  const app = await scoringApp(keyFile, {
    execArgv: ['--cpu-prof', `--cpu-prof-dir=${folder}`, '--cpu-prof-name=main-thread.cpuprofile'],
  });
  await app.data.getBlockBlobClient('one/a.csv').uploadData(csv);
  await app.run('mlp', 'one/');
  await app.stop();
  for (const name of await readdir(folder))
    if (name.startsWith('main-thread')) print('main thread, mlp', await readFile(join(folder, name), 'utf8'));
  process.stdout.write(`\nProfiles are in ${folder}\n`);
}

async function scoringThread(csv: Buffer, model: BenchModel): Promise<string> {
  const loaded = await loadModel(await readFile(modelFile(model)), undefined);
  const session = new Session();
  session.connect();
  await session.post('Profiler.enable');
  await session.post('Profiler.start');
  const options = { outputFormat: 'csv', csvHeader: true, csvDelimiter: ',', missing: 'error' } as const;
  let from = 0;
  const source = {
    length: csv.length,
    next: async () => (from < csv.length ? csv.subarray(from, (from += CHUNK)) : undefined),
    range: async (offset: number, count: number) => Uint8Array.from(csv.subarray(offset, offset + count)),
    close: () => undefined,
  };
  await scoreFile(loaded, { name: 'a.csv' }, source, options, () => undefined);
  const { profile: recorded } = await session.post('Profiler.stop');
  session.disconnect();
  await loaded.close();
  return JSON.stringify(recorded);
}

const CpuProfile = z.object({
  nodes: z.array(
    z.object({
      id: z.number(),
      callFrame: z.object({ functionName: z.string(), url: z.string(), lineNumber: z.number() }),
    }),
  ),
  samples: z.array(z.number()),
  timeDeltas: z.array(z.number()),
});

/** The functions by self time, in per cent of all samples. */
function print(title: string, text: string): void {
  const { nodes, samples, timeDeltas } = CpuProfile.parse(JSON.parse(text));
  const names = new Map(
    nodes.map(({ id, callFrame }) => [
      id,
      `${callFrame.functionName || '(anonymous)'} ${callFrame.url.replace(/^.*\//, '')}:${callFrame.lineNumber + 1}`,
    ]),
  );
  const self = new Map<string, number>();
  for (const [index, sample] of samples.entries()) {
    const name = names.get(sample) ?? '';
    self.set(name, (self.get(name) ?? 0) + (timeDeltas[index] ?? 0));
  }
  const total = [...self.values()].reduce((sum, time) => sum + time, 0);
  process.stdout.write(`\n${title}: ${(total / 1e6).toFixed(2)} s\n`);
  for (const [name, time] of [...self].sort((a, b) => b[1] - a[1]).slice(0, SHOWN))
    process.stdout.write(`${((100 * time) / total).toFixed(1).padStart(6)} %  ${name}\n`);
}
