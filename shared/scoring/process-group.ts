import { spawn, type ChildProcess, type SpawnOptions } from 'node:child_process';
import { once } from 'node:events';

/** How a process ended: one of the two is set. */
export interface ProcessEnd {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export interface ProcessGroup {
  readonly leader: ChildProcess;
  /** The leader's process id, which is the group's too. */
  readonly pid: number;
  /** Settles when the leader has ended; by then what it left behind of its group was killed. */
  readonly ended: Promise<ProcessEnd>;
  /** Kills every process of the group at once. */
  kill(): void;
}

/**
 * Starts a program as the leader of a process group of its own, so that what it starts can be ended with it. (A child that
 * makes a session of its own leaves the group.) Rejects with the system's error when it cannot be started: ENOENT for a program
 * that is not there, also for a working folder that is not.
 */
export async function spawnGroup(
  command: string,
  args: readonly string[],
  options: Omit<SpawnOptions, 'detached'>,
): Promise<ProcessGroup> {
  const leader = spawn(command, args, { ...options, detached: true });
  const ended = new Promise<ProcessEnd>((resolve) => {
    leader.once('exit', (code, signal) => {
      kill();
      resolve({ code, signal });
    });
  });
  await once(leader, 'spawn');
  const { pid } = leader;
  if (pid === undefined) throw new Error(`${command} was started without a process id.`);

  function kill(): void {
    if (leader.pid === undefined) return;
    try {
      process.kill(-leader.pid, 'SIGKILL');
    } catch (error) {
      // Nobody of the group is left; macOS says EPERM of one that has ended and was not waited for.
      const code = error instanceof Error && 'code' in error ? error.code : undefined;
      if (code !== 'ESRCH' && code !== 'EPERM') throw error;
    }
  }

  return { leader, pid, ended, kill };
}

const SIGNAL_WORDS: Readonly<Partial<Record<NodeJS.Signals, string>>> = {
  SIGKILL: 'SIGKILL: somebody ended it, or the machine ran out of memory',
  SIGSEGV: 'SIGSEGV: a fault in native code',
  SIGBUS: 'SIGBUS: a fault in native code',
  SIGILL: 'SIGILL: a processor instruction that this machine lacks',
  SIGABRT: 'SIGABRT: native code gave up',
  SIGFPE: 'SIGFPE: a fault in native arithmetic',
};

/** `with exit code 3`, `by SIGSEGV: a fault in native code`. */
export function endWords({ code, signal }: ProcessEnd): string {
  return signal === null ? `with exit code ${code}` : `by ${SIGNAL_WORDS[signal] ?? signal}`;
}
