import { join } from 'node:path';
import { runCommand } from '../../../shared/pipeline/run-command.ts';

/** Runs `command.sh` of a folder, to be killed while it does. */
const folder = process.argv[2] ?? '';
await runCommand({
  script: join(folder, 'command.sh'),
  cwd: folder,
  folder,
  environment: { PATH: process.env['PATH'] ?? '' },
  limits: { timeoutMs: 1_000_000, diskBytes: Number.MAX_SAFE_INTEGER },
  signal: new AbortController().signal,
  print: () => undefined,
});
