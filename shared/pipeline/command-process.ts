import type { ChildProcess } from 'node:child_process';
import { access, constants } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { messageOf } from '../domain/errors.ts';
import type { CodeUser } from '../scoring/code-user.ts';
import { spawnGroup, type ProcessEnd } from '../scoring/process-group.ts';

/** Milliseconds between SIGTERM and SIGKILL. */
const GRACE_MS = 5_000;

/** Milliseconds in which what was printed before the end still arrives, if something that left the group holds the pipes open. */
const DRAIN_MS = 1_000;

/**
 * Runs the text `$1` with the shell `$0`, as Azure ML does: of a text with one command the shell makes that command, which so gets
 * the signals. A watcher in the same group waits on a pipe whose other end this process alone holds: it breaks
 * when this process ends in whatever way, and then the group is killed. The watcher is nobody's child, so that the command never
 * waits for it, and deaf to the signal that asks the command to end.
 */
const SUPERVISED = `( (trap "" HUP INT QUIT TERM; exec >/dev/null 2>&1; read -r end <&3; kill -s KILL -- "-$$") & )
exec 3<&-
[ -z "$2" ] || ulimit -v "$2" || exit 125
exec "$0" -c "$1"`;

export interface CommandStart {
  /** Shell text. */
  readonly script: string;
  readonly cwd: string;
  /** The whole environment. */
  readonly environment: Readonly<Record<string, string>>;
  readonly memoryBytes?: number | undefined;
  /** Who runs it; the app's own user without. */
  readonly user?: CodeUser | undefined;
  readonly output: (stream: 'stdout' | 'stderr', bytes: Uint8Array) => void;
}

export interface CommandProcess {
  /** Settles when the command has ended, its whole group with it, and all that it printed was handed on. */
  readonly ended: Promise<ProcessEnd>;
  /** Asks the leader to end; ends the group when it has not done so after 5 seconds. */
  terminate(): void;
  kill(): void;
}

/**
 * Starts a command as a process group that ends with its leader, and with this process. Answers the reason when it cannot be
 * started.
 */
export async function startCommand(start: CommandStart): Promise<CommandProcess | { readonly notStarted: string }> {
  const folders = ['/bin', '/usr/bin', ...(start.environment['PATH'] ?? '').split(delimiter)];
  const sh = await findProgram('sh', folders);
  if (sh === undefined) return { notStarted: 'this machine has no shell' };
  // bash as Azure ML has it, or what there is.
  const shell = (await findProgram('bash', folders)) ?? sh;
  const kibibytes = start.memoryBytes === undefined ? '' : String(Math.ceil(start.memoryBytes / 1024));
  let group;
  try {
    group = await spawnGroup(sh, ['-c', SUPERVISED, shell, start.script, kibibytes], {
      cwd: start.cwd,
      env: start.environment,
      stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
      user: start.user,
    });
  } catch (error) {
    return { notStarted: messageOf(error) };
  }
  const { leader, kill } = group;
  leader.stdout?.on('data', (bytes: Buffer) => start.output('stdout', bytes));
  leader.stderr?.on('data', (bytes: Buffer) => start.output('stderr', bytes));
  const lifeline = leader.stdio[3];
  // The watcher dies with the group and resets the line; what that means is told by the exit.
  lifeline?.on('error', () => undefined);

  let over = false;
  const ended = group.ended.then(async (end) => {
    over = true;
    await closed(leader);
    lifeline?.destroy();
    return end;
  });
  const killOnce = (): void => {
    // After the group's end its number may be another's.
    if (!over) kill();
  };
  return {
    ended,
    terminate() {
      leader.kill('SIGTERM');
      setTimeout(killOnce, GRACE_MS).unref();
    },
    kill: killOnce,
  };
}

/** Waits until both streams have ended, but not for a process that left the group and holds them open. */
async function closed({ stdout, stderr }: ChildProcess): Promise<void> {
  const streams = [stdout, stderr].filter((stream) => stream !== null);
  const done = new AbortController();
  const drained = Promise.all(
    streams.map(
      (stream) =>
        new Promise<void>((resolve) => {
          if (stream.closed) resolve();
          else stream.once('close', resolve);
        }),
    ),
  );
  await Promise.race([drained, wait(DRAIN_MS, undefined, { signal: done.signal }).catch(() => undefined)]);
  done.abort();
  for (const stream of streams) stream.destroy();
}

async function findProgram(name: string, folders: readonly string[]): Promise<string | undefined> {
  for (const folder of folders) if (folder !== '' && (await isProgram(join(folder, name)))) return join(folder, name);
  return undefined;
}

const isProgram = (path: string): Promise<boolean> =>
  access(path, constants.X_OK).then(
    () => true,
    () => false,
  );
