import { spawn, type ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';

export interface ProgramRun {
  /** Null when a signal ended it. */
  readonly code: number | null;
  /** Standard output and error as they came, the last of them when there are too many. */
  readonly lines: readonly string[];
}

const LINES_KEPT = 2000;
const LONGEST_LINE = 2000;

/**
 * Runs a program to its end and gives its lines to `print` as they come. An aborted `signal` ends it with all that it started.
 * Rejects with the system's error when it cannot be started (ENOENT: there is none of that name).
 */
export function runProgram(
  [command, ...args]: readonly [string, ...string[]],
  options: {
    readonly env: Readonly<Record<string, string>>;
    readonly cwd: string;
    readonly signal: AbortSignal;
    readonly print?: (line: string) => void;
  },
): Promise<ProgramRun> {
  const { env, cwd, signal, print } = options;
  signal.throwIfAborted();
  const child = spawn(command, args, {
    env,
    cwd,
    stdio: ['ignore', 'pipe', 'pipe'],
    // Its own group, so that a compiler that it started ends with it.
    detached: process.platform !== 'win32',
    windowsHide: true,
  });
  const lines: string[] = [];
  for (const stream of [child.stdout, child.stderr]) {
    createInterface(stream).on('line', (text) => {
      const line = text.slice(0, LONGEST_LINE);
      lines.push(line);
      if (lines.length > LINES_KEPT) lines.shift();
      print?.(line);
    });
  }
  const end = (): void => endGroup(child);
  signal.addEventListener('abort', end, { once: true });
  return new Promise<ProgramRun>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => {
      if (signal.aborted) reject(signal.reason instanceof Error ? signal.reason : new Error('The program was ended.'));
      else resolve({ code, lines });
    });
  }).finally(() => signal.removeEventListener('abort', end));
}

function endGroup(child: ChildProcess): void {
  if (child.pid === undefined) return;
  if (process.platform === 'win32') {
    child.kill();
    return;
  }
  try {
    process.kill(-child.pid, 'SIGKILL');
  } catch (error) {
    // Nobody of the group is left.
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error;
  }
}
