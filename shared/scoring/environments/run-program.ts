import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { CodeUser } from '../code-user.ts';
import { spawnGroup } from '../process-group.ts';

export interface ProgramRun {
  /** Null when a signal ended it. */
  readonly code: number | null;
  /** Standard output and error as they came, the last of them when there are too many. */
  readonly lines: readonly string[];
}

const LINES_KEPT = 2000;
const LONGEST_LINE = 2000;

/**
 * Runs a program to its end and gives its lines to `print` as they come. After `seconds`, or when `signal` is aborted, it is
 * ended with all that it started, and this throws. Rejects with the system's error when it cannot be started (ENOENT: there is
 * none of that name).
 */
export async function runProgram(
  [command, ...args]: readonly [string, ...string[]],
  options: {
    readonly env: Readonly<Record<string, string>>;
    readonly cwd: string;
    /** Who runs it; the app's own user without. */
    readonly user?: CodeUser | undefined;
    readonly seconds: number;
    readonly signal?: AbortSignal;
    readonly print?: (line: string) => void;
  },
): Promise<ProgramRun> {
  const { env, cwd, user, seconds, signal, print } = options;
  signal?.throwIfAborted();
  const { leader, kill } = await spawnGroup(command, args, { env, cwd, user, stdio: ['ignore', 'pipe', 'pipe'] });
  const lines: string[] = [];
  for (const stream of [leader.stdout, leader.stderr]) {
    if (stream === null) continue;
    createInterface(stream).on('line', (text) => {
      const line = text.slice(0, LONGEST_LINE);
      lines.push(line);
      if (lines.length > LINES_KEPT) lines.shift();
      print?.(line);
    });
  }
  const limit = AbortSignal.any([AbortSignal.timeout(seconds * 1000), ...(signal ? [signal] : [])]);
  const end = (): void => kill();
  limit.addEventListener('abort', end, { once: true });
  if (limit.aborted) end();
  await once(leader, 'close');
  limit.removeEventListener('abort', end);
  signal?.throwIfAborted();
  if (limit.aborted) throw new Error(`${[command, ...args].join(' ')} took longer than ${seconds} s`);
  return { code: leader.exitCode, lines };
}
