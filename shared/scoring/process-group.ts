import { spawn, type ChildProcess, type SpawnOptions } from 'node:child_process';
import { once } from 'node:events';
import type { CodeUser } from './code-user.ts';
import { killEscaped, MARK, newMark } from './escaped-processes.ts';
import { giveWay } from './low-priority.ts';

/** How a process ended: one of the two is set. */
export interface ProcessEnd {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export interface ProcessGroup {
  readonly leader: ChildProcess;
  /** The leader's process id, which is the group's too. */
  readonly pid: number;
  /** Settles when the leader has ended; by then what it left behind was killed. */
  readonly ended: Promise<ProcessEnd>;
  /** Kills every process of the group at once, and what left it. */
  kill(): void;
}

export interface GroupOptions extends Omit<SpawnOptions, 'detached' | 'uid' | 'gid'> {
  /** The whole environment. */
  readonly env: Readonly<Record<string, string>>;
  /** Who runs it, without any other groups; this process's own user without. */
  readonly user: CodeUser | undefined;
}

/** Process ids of the groups of this process that live. */
const leaders = new Set<number>();

/**
 * Starts a program as the leader of a process group of its own, so that what it starts can be ended with it; on Linux also what
 * makes a session of its own. It gives way to the app where both want the processors. Rejects with the system's error when it
 * cannot be started: ENOENT for a program that is not there, also for a working folder that is not.
 */
export async function spawnGroup(
  command: string,
  args: readonly string[],
  { user, env, ...options }: GroupOptions,
): Promise<ProcessGroup> {
  const mark = newMark();
  const leader = spawn(command, args, { ...options, ...user, env: { ...env, [MARK]: mark }, detached: true });
  if (leader.pid !== undefined) {
    leaders.add(leader.pid);
    giveWay(leader.pid);
  }
  const ended = new Promise<ProcessEnd>((resolve) => {
    leader.once('exit', (code, signal) => {
      if (leader.pid !== undefined) leaders.delete(leader.pid);
      kill();
      resolve({ code, signal });
    });
  });
  await once(leader, 'spawn');
  const { pid } = leader;
  if (pid === undefined) throw new Error(`${command} was started without a process id.`);

  function kill(): void {
    killGroup();
    killEscaped({ mark, user, leaders });
  }

  function killGroup(): void {
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

/** Whether the end of a process that nobody here ended looks as if its memory was full: the kernel, or V8, ends one so. */
export const looksOutOfMemory = ({ signal }: ProcessEnd): boolean => signal === 'SIGKILL' || signal === 'SIGABRT';

/** `with exit code 3`, `by SIGSEGV: a fault in native code`. */
export function endWords({ code, signal }: ProcessEnd): string {
  return signal === null ? `with exit code ${code}` : `by ${SIGNAL_WORDS[signal] ?? signal}`;
}
