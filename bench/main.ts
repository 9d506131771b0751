import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { ensureBuilt } from '../cli/build.ts';
import { exitWith } from '../cli/exit.ts';
import { DATA_FOLDER, PROJECT } from '../cli/stack.ts';
import { durableHost } from './durable-host.ts';
import { fairness } from './fairness.ts';
import { figures, type Figure } from './figure.ts';
import { hostOverhead } from './host-overhead.ts';
import { listing } from './listing.ts';
import { memory } from './memory.ts';
import { pipelines } from './pipelines.ts';
import { profile } from './profile.ts';
import { pythonWorkers } from './python-workers.ts';
import { responsiveness } from './responsiveness.ts';
import { storageRequests } from './storage-requests.ts';
import { throughput } from './throughput.ts';
import { tokens } from './tokens.ts';

const HELP = `Usage: npm run bench [-- options]

Measures the app on this machine, in about seven minutes, and prints one line of JSON per figure. Exit code 1 when
a target is missed. Ratios are of things measured side by side in this run; let the machine do nothing else.

  --only NAMES   some of responsiveness,throughput,requests,overhead,fairness,memory,listing,durable,python,tokens
  --profile      no figures: where the time goes, as CPU profiles
  --help         show this text
`;

type Measurement = (keyFile: string, add: (figure: Figure) => void) => Promise<void>;

const measurements: Readonly<Record<string, Measurement>> = {
  responsiveness,
  throughput,
  requests: storageRequests,
  overhead: hostOverhead,
  fairness,
  memory,
  listing,
  pipelines,
  durable: durableHost,
  python: pythonWorkers,
  tokens,
};

function chosen(only: string | undefined): Measurement[] {
  if (only === undefined) return Object.values(measurements);
  return only.split(',').map((name) => {
    const measurement = measurements[name.trim()];
    if (!measurement) throw new Error(`--only takes ${Object.keys(measurements).join(', ')}, not '${name}'.`);
    return measurement;
  });
}

await exitWith(async () => {
  const { values } = parseArgs({
    options: { only: { type: 'string' }, profile: { type: 'boolean' }, help: { type: 'boolean' } },
  });
  if (values.help) {
    process.stdout.write(HELP);
    return;
  }
  const run = chosen(values.only);
  await ensureBuilt(PROJECT, (text) => process.stderr.write(text));
  const folder = await mkdtemp(join(tmpdir(), 'batchpoint-bench-'));
  const keyFile = join(folder, 'key.json');
  try {
    if (values.profile) {
      await profile(keyFile, join(DATA_FOLDER, 'profile'));
      return;
    }
    const printed = figures();
    for (const measurement of run) await measurement(keyFile, (figure) => printed.add(figure));
    if (!printed.allHold()) throw new Error('A target was missed.');
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});
