import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { z } from 'zod';
import { ensureBuilt } from '../../cli/build.ts';
import { exitWith, untilAborted } from '../../cli/exit.ts';
import { PROJECT } from '../../cli/stack.ts';
import { ensureVirtualEnvironment } from '../../cli/virtual-environment.ts';
import { figures } from '../figure.ts';
import { csvMlp, csvTrees, smallCsv } from './csv.ts';
import { images } from './images.ts';
import { activities, memory2gb, overhead100k } from './scale.ts';
import type { JobSettings } from '../scoring-app.ts';
import { table, type Line } from './table.ts';
import { workbench, type Workbench } from './workbench.ts';

const HELP = `Usage: npm run bench:peers [-- options]

Scores the same files from the same storage as Python scripts do that people would write, side by side on this machine, and prints
one line of JSON per figure and at the end a table. Exit code 1 when a target is missed. The first run installs the scripts' packages in
.venv-peers. Let the machine do nothing else.

  --only NAMES   some of csv_mlp,csv_trees,small_csv,images,rss_2gb,overhead_100k,activities_per_mini_batch
  --peers NAMES  some of pandas,pandas_loop,polars,ray,bare,pillow; pandas_loop downloads file by file, and pandas in 16 threads
  --rounds N     counted rounds after one that warms up (default 5)
  --unit UNIT    what a mini-batch of the one large file counts: files, bytes or records (default files)
  --size N       how many of them (default 1 file, 16 MiB or 100,000 records)
  --lanes N      our lanes for it (default 1 for files, else 2)
  --help         show this text
`;

const measurements: Readonly<Record<string, (bench: Workbench) => Promise<void>>> = {
  csv_mlp: csvMlp,
  csv_trees: csvTrees,
  small_csv: smallCsv,
  images,
  rss_2gb: memory2gb,
  overhead_100k: overhead100k,
  activities_per_mini_batch: activities,
};

const PEERS = ['pandas', 'pandas_loop', 'polars', 'ray', 'bare', 'pillow'];

/** The names of a list with commas. Throws when one is not among `all`. */
function chosen(option: string, given: string | undefined, all: readonly string[]): string[] {
  if (given === undefined) return [...all];
  const names = given.split(',').map((name) => name.trim());
  const stranger = names.find((name) => !all.includes(name));
  if (stranger !== undefined) throw new Error(`--${option} takes ${all.join(', ')}, not '${stranger}'.`);
  return names;
}

const count = z.coerce.number<string>().int().positive();

const Options = z.object({
  rounds: count.default(5),
  unit: z.enum(['files', 'bytes', 'records']).default('files'),
  size: count.optional(),
  lanes: count.optional(),
});

const DEFAULTS = {
  files: { size: 1, lanes: 1 },
  bytes: { size: 16 * 1024 * 1024, lanes: 2 },
  records: { size: 100_000, lanes: 2 },
};

const jobSettings = ({ unit, size, lanes }: z.infer<typeof Options>): JobSettings => ({
  miniBatchSize: size ?? DEFAULTS[unit].size,
  maxConcurrencyPerInstance: lanes ?? DEFAULTS[unit].lanes,
  properties: { 'batchpoint.miniBatchUnit': unit },
});

await exitWith(async (signal) => {
  const { values } = parseArgs({
    options: {
      ...{ only: { type: 'string' }, peers: { type: 'string' }, rounds: { type: 'string' } },
      ...{ unit: { type: 'string' }, size: { type: 'string' }, lanes: { type: 'string' }, help: { type: 'boolean' } },
    },
  });
  if (values.help) {
    process.stdout.write(HELP);
    return;
  }
  const options = Options.parse(values);
  const only = chosen('only', values.only, Object.keys(measurements));
  const peers = new Set(chosen('peers', values.peers, PEERS));
  const say = (line: string): void => void process.stderr.write(`${line}\n`);
  await ensureBuilt(PROJECT, (text) => process.stderr.write(text));
  const python = await ensureVirtualEnvironment({
    folder: join(PROJECT, '.venv-peers'),
    requirements: join(PROJECT, 'bench/peers/requirements.txt'),
    purpose: 'pandas, polars and Ray Data',
    // Ray gives up on its own processes when they take long to start.
    compiled: true,
  });
  const folder = await mkdtemp(join(tmpdir(), 'batchpoint-peers-'));
  const printed = figures();
  const lines: Line[] = [];
  const add = (line: Line): void => {
    lines.push(line);
    printed.add(line.figure);
  };
  const bench = workbench(
    { keyFile: join(folder, 'key.json'), rounds: options.rounds, peers, oneFile: jobSettings(options), add, say },
    { python, folder },
  );
  try {
    for (const name of only) {
      say(`${name} …`);
      await Promise.race([measurements[name]?.(bench), untilAborted(signal)]);
      await bench.stopAll();
    }
  } finally {
    await bench.stopAll();
    await rm(folder, { recursive: true, force: true });
    // What is measured may wait for what is gone.
    if (signal.aborted) process.exit(130);
  }
  process.stdout.write(`\n${table(lines)}`);
  if (!printed.allHold()) throw new Error('A target was missed.');
});
