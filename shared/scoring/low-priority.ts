import { writeFileSync } from 'node:fs';
import { constants, setPriority } from 'node:os';

/** `nice` 10, or "below normal" on Windows. */
const LOW_PRIORITY = constants.priority.PRIORITY_BELOW_NORMAL;

/**
 * Lets a process that was started just now, and with it every thread and process that it starts, give way to the app: what holds
 * the app up holds every job up, and the app's share of the work is small. Linux on a desktop weighs whole sessions against each
 * other, and a process group of ours is one: its weight is set, too. Best effort; work goes on without.
 * https://man7.org/linux/man-pages/man7/sched.7.html (The autogroup feature)
 */
export function giveWay(pid: number): void {
  try {
    setPriority(pid, LOW_PRIORITY);
    if (process.platform === 'linux') writeFileSync(`/proc/${pid}/autogroup`, String(LOW_PRIORITY));
  } catch {
    // It has ended, or the kernel has no such groups, or forbids it.
  }
}
