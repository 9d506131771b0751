import { readFile, readdir } from 'node:fs/promises';

/**
 * Resident memory of process groups, in bytes, by group id: the sum over their processes (pages that they share count in each).
 * From Linux' /proc (man 5 proc); groups without a living process, and everything elsewhere, are absent.
 */
export async function residentBytes(groups: ReadonlySet<number>): Promise<ReadonlyMap<number, number>> {
  const bytes = new Map<number, number>();
  const processes = (await entries()).filter((name) => /^\d+$/.test(name));
  await Promise.all(
    processes.map(async (pid) => {
      const group = groupOf(await processFile(pid, 'stat'));
      if (group === undefined || !groups.has(group)) return;
      const resident = /^VmRSS:\s+(\d+) kB$/m.exec(await processFile(pid, 'status'))?.[1];
      bytes.set(group, (bytes.get(group) ?? 0) + Number(resident ?? 0) * 1024);
    }),
  );
  return bytes;
}

/** The group is the third field after the program's name, which is in parentheses and may hold anything. */
function groupOf(stat: string): number | undefined {
  const field = stat.slice(stat.lastIndexOf(')') + 2).split(' ', 3)[2];
  return field === undefined ? undefined : Number(field);
}

async function entries(): Promise<string[]> {
  return (await orAbsent(readdir('/proc'))) ?? [];
}

async function processFile(pid: string, name: string): Promise<string> {
  return (await orAbsent(readFile(`/proc/${pid}/${name}`, 'utf8'))) ?? '';
}

const ABSENT: ReadonlySet<unknown> = new Set(['ENOENT', 'ESRCH', 'EACCES', 'EPERM']);

/** A process may end at any time, or be another user's; not every system has /proc. */
async function orAbsent<T>(found: Promise<T>): Promise<T | undefined> {
  try {
    return await found;
  } catch (error) {
    if (error instanceof Error && 'code' in error && ABSENT.has(error.code)) return undefined;
    throw error;
  }
}
