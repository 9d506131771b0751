import { runCommand } from '../../../shared/pipeline/run-command.ts';

/** Runs shell text in a folder, to be killed while it does. */
const [, , folder = '', script = ''] = process.argv;
await runCommand({
  script,
  cwd: folder,
  folder,
  environment: { PATH: process.env['PATH'] ?? '' },
  limits: { timeoutMs: 1_000_000, diskBytes: Number.MAX_SAFE_INTEGER },
  signal: new AbortController().signal,
  print: () => undefined,
});
