import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ensureBuilt } from '../cli/build.ts';
import { exitWith } from '../cli/exit.ts';
import { PROJECT } from '../cli/stack.ts';
import { figures } from './figure.ts';
import { responsiveness } from './responsiveness.ts';

const HELP = `Usage: npm run bench

Measures the app on this machine and prints one line of JSON per figure. Exit code 1 when a target is missed.
`;

await exitWith(async () => {
  if (process.argv.includes('--help')) {
    process.stdout.write(HELP);
    return;
  }
  await ensureBuilt(PROJECT, (text) => process.stderr.write(text));
  const folder = await mkdtemp(join(tmpdir(), 'batchpoint-bench-'));
  try {
    const printed = figures();
    await responsiveness(join(folder, 'key.json'), (figure) => printed.add(figure));
    if (!printed.allHold()) throw new Error('A target was missed.');
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});
