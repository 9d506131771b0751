import { spawn, type ChildProcess, type StdioOptions } from 'node:child_process';

export interface Child {
  /** What it printed last, for when it fails. */
  tail(): string;
  /** Settles when the process has ended. */
  readonly ended: Promise<number | null>;
  /** How it ended: `exit code 1`, or the name of a signal. */
  end(): string;
  readonly process: ChildProcess;
  /** Asks it to end, then makes it end. */
  stop(): Promise<void>;
}

/** How long a child may take to end by itself. */
const PATIENCE_MS = 5000;
const TAIL_CHARACTERS = 8000;

/**
 * A Node child process with an IPC channel, so that it can tell when it is ready and sees when we are gone. Its output is kept
 * for error texts and, with `onOutput`, passed on.
 */
export function startChild(
  script: string,
  args: readonly string[],
  options: {
    env?: Readonly<Record<string, string | undefined>>;
    cwd?: string;
    onOutput?: (text: string) => void;
    execArgv?: readonly string[];
    /** It ends processes of its own when it is to end, so it is never killed before it could. */
    hasChildren?: boolean;
  } = {},
): Child {
  const stdio: StdioOptions = ['ignore', 'pipe', 'pipe', 'ipc'];
  const child = spawn(process.execPath, [...(options.execArgv ?? []), script, ...args], {
    stdio,
    env: { ...process.env, ...options.env },
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
  });
  let output = '';
  const keep = (chunk: Buffer): void => {
    const text = chunk.toString('utf8');
    output = (output + text).slice(-TAIL_CHARACTERS);
    options.onOutput?.(text);
  };
  child.stdout?.on('data', keep);
  child.stderr?.on('data', keep);
  const ended = new Promise<number | null>((resolve) => {
    child.once('exit', (code) => resolve(code));
    child.once('error', () => resolve(null));
  });
  // However this process ends, nothing stays behind.
  const kill = (): void => void child.kill('SIGKILL');
  const leave = (): void => void child.kill(options.hasChildren ? 'SIGTERM' : 'SIGKILL');
  process.once('exit', leave);
  void ended.then(() => process.removeListener('exit', leave));
  return {
    tail: () => output,
    ended,
    end: () => child.signalCode ?? `exit code ${child.exitCode}`,
    process: child,
    async stop() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      child.kill('SIGTERM');
      const late = setTimeout(kill, PATIENCE_MS);
      await ended;
      clearTimeout(late);
    },
  };
}
