import { randomBytes } from 'node:crypto';
import { readdirSync, readFileSync, readlinkSync, statSync } from 'node:fs';
import type { CodeUser } from './code-user.ts';

/**
 * Processes that left their group (a session of their own, a daemon) are known by a variable that all descendants of a process
 * group inherit. From Linux' /proc (man 5 proc); elsewhere nobody is found.
 */
export const MARK = 'BATCHPOINT_PROCESS';

/** Whose environment, or whose process, it is not for us to see, or is gone. */
const UNSEEN = new Set<unknown>(['ENOENT', 'ESRCH', 'EACCES', 'EPERM']);

/** A mark for one process group: who made it, so that it is known when that one is gone, and which group. */
export const newMark = (): string =>
  [namespace(), process.pid, startOf(process.pid) ?? '', randomBytes(8).toString('hex')].join('.');

/** Process ids mean something in their namespace only: on a host one sees the processes of its containers, too. */
const namespace = (): string => seen(() => readlinkSync('/proc/self/ns/pid')) ?? '';

export interface Escape {
  /** Of the group that has ended. */
  readonly mark: string;
  /** With it, also orphans of this user that have no mark any more. */
  readonly user: CodeUser | undefined;
  /** Process ids of groups that live. */
  readonly leaders: ReadonlySet<number>;
}

/**
 * Kills what an ended group left behind outside of itself, and what groups of an app that is dead did. Synchronous, so that nothing
 * is forked between a look and a kill for longer than it must; looks again until there is nobody new.
 */
export function killEscaped(escape: Escape): void {
  const killed = new Set<number>();
  for (let before = -1; killed.size > before;) {
    before = killed.size;
    for (const pid of processIds()) if (!killed.has(pid) && isEscaped(pid, escape) && kill(pid)) killed.add(pid);
  }
}

function isEscaped(pid: number, { mark, user, leaders }: Escape): boolean {
  if (leaders.has(pid) || pid === process.pid) return false;
  const own = markOf(pid);
  if (own !== undefined) return own === mark || isOrphaned(own);
  if (user === undefined || uidOf(pid) !== user.uid || !isOrphan(pid)) return false;
  // In a group whose leader lives it ends with that.
  const group = Number(statOf(pid)?.[2]);
  return !leaders.has(group) && isOrphan(group);
}

/** Undefined also for a process that may not be looked into. */
function markOf(pid: number): string | undefined {
  const environment = seen(() => readFileSync(`/proc/${pid}/environ`, 'latin1')) ?? '';
  return environment
    .split('\0')
    .find((line) => line.startsWith(`${MARK}=`))
    ?.slice(MARK.length + 1);
}

/** The process that made the mark has ended. */
function isOrphaned(mark: string): boolean {
  const [where, pid, start] = mark.split('.');
  return where === namespace() && startOf(Number(pid)) !== start;
}

/** Its parent is init, or this process where that is the container's first; or it is gone. */
const isOrphan = (pid: number): boolean => {
  const parent = statOf(pid)?.[1];
  return parent === undefined || parent === '1' || parent === String(process.pid);
};

const uidOf = (pid: number): number | undefined => seen(() => statSync(`/proc/${pid}`).uid);

/** When it started, in ticks since boot: a process id is given again. */
const startOf = (pid: number): string | undefined => statOf(pid)?.[19];

/** Fields from `state` on, after the program's name, which is in parentheses and may hold anything. */
function statOf(pid: number): readonly string[] | undefined {
  const stat = seen(() => readFileSync(`/proc/${pid}/stat`, 'latin1'));
  return stat?.slice(stat.lastIndexOf(')') + 2).split(' ');
}

const processIds = (): number[] =>
  (seen(() => readdirSync('/proc')) ?? []).filter((name) => /^\d+$/.test(name)).map(Number);

function kill(pid: number): boolean {
  return seen(() => process.kill(pid, 'SIGKILL')) ?? false;
}

function seen<T>(look: () => T): T | undefined {
  try {
    return look();
  } catch (error) {
    if (error instanceof Error && 'code' in error && UNSEEN.has(error.code)) return undefined;
    throw error;
  }
}
