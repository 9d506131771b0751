import { constants } from 'node:os';
import { setTimeout as wait } from 'node:timers/promises';
import { commandLines, type CommandLine } from './command-lines.ts';
import type { CodeUser } from '../scoring/code-user.ts';
import type { ProcessEnd } from '../scoring/process-group.ts';
import { startCommand } from './command-process.ts';
import { folderBytes } from './folder-bytes.ts';

/** Milliseconds between two looks at the size of the step's folder. */
const LOOK_MS = 1_000;

const MIB = 1024 ** 2;

/** What a command may take of the machine. */
export interface CommandLimits {
  readonly timeoutMs: number;
  /** Bytes of `folder`. */
  readonly diskBytes: number;
  /** Address space of each process. */
  readonly memoryBytes?: number | undefined;
}

export interface CommandRun {
  /** Shell text. */
  readonly script: string;
  /** Its working folder. */
  readonly cwd: string;
  /** The folder of the step, whose size is watched. */
  readonly folder: string;
  /** The whole environment. */
  readonly environment: Readonly<Record<string, string>>;
  readonly limits: CommandLimits;
  readonly user?: CodeUser | undefined;
  readonly signal: AbortSignal;
  /** Called with each line as it comes. */
  readonly print: (line: CommandLine) => void;
}

/** Why a step failed: a stable word for programs, and sentences for people. */
export interface StepReason {
  readonly code: string;
  readonly message: string;
}

export type CommandResult = { readonly ok: true } | { readonly ok: false; readonly reason: StepReason };

const failed = (code: string, message: string): CommandResult => ({ ok: false, reason: { code, message } });

/**
 * Runs shell text to its end, with all processes that it starts. Whatever it does is a value: `CommandFailed`, `CommandKilled`,
 * `CommandTimedOut`, `DiskLimit`, `Cancelled`, `CommandNotStarted`.
 */
export async function runCommand(run: CommandRun): Promise<CommandResult> {
  if (run.signal.aborted) return cancelled();
  const lines = commandLines(run.print);
  const command = await startCommand({ ...run, memoryBytes: run.limits.memoryBytes, output: lines.push });
  if ('notStarted' in command)
    return failed('CommandNotStarted', `The command could not be started: ${command.notStarted}.`);
  let stopped: CommandResult | undefined;
  const stop = (why: CommandResult, end: () => void): void => {
    stopped ??= why;
    end();
  };

  const done = new AbortController();
  const timer = setTimeout(
    () => stop(timedOut(run.limits), command.terminate),
    Math.min(run.limits.timeoutMs, MAX_TIMER_MS),
  );
  const onAbort = (): void => stop(cancelled(), command.terminate);
  run.signal.addEventListener('abort', onAbort, { once: true });
  if (run.signal.aborted) onAbort();
  const watched = watchDisk(run, done.signal, () => stop(diskFull(run.limits), command.kill));
  try {
    const ended = await Promise.race([command.ended, watched.then(() => command.ended)]);
    lines.end();
    if (!stopped && (await folderBytes(run.folder, run.limits.diskBytes)) > run.limits.diskBytes)
      stopped = diskFull(run.limits);
    return stopped ?? resultOf(ended, lines.last());
  } finally {
    clearTimeout(timer);
    done.abort();
    run.signal.removeEventListener('abort', onAbort);
    command.kill();
  }
}

/** Timers of Node end at once when they are longer. */
const MAX_TIMER_MS = 2 ** 31 - 1;

async function watchDisk({ folder, limits }: CommandRun, done: AbortSignal, full: () => void): Promise<void> {
  while (!done.aborted) {
    await wait(LOOK_MS, undefined, { signal: done }).catch(() => undefined);
    if (done.aborted || (await folderBytes(folder, limits.diskBytes)) <= limits.diskBytes) continue;
    return full();
  }
}

function resultOf({ code, signal }: ProcessEnd, last: string): CommandResult {
  if (code === 0) return { ok: true };
  const lastLines = last === '' ? 'It printed nothing.' : `Its last lines: ${last}`;
  if (code === null) return killed(`The command was ended by ${signal ?? 'a signal'}.`, signal, lastLines);
  const what = `The command ended with exit code ${code}`;
  const inner = signalOf(code);
  return inner === undefined
    ? failed('CommandFailed', `${what}. ${lastLines}`)
    : killed(`${what} (${inner}).`, inner, lastLines);
}

function killed(what: string, signal: string | null, lastLines: string): CommandResult {
  const hint = signal === 'SIGKILL' ? ' The usual cause is that the machine ran out of memory.' : '';
  return failed('CommandKilled', `${what}${hint} ${lastLines}`);
}

/** A shell says 128 + n when what it ran was ended by signal n. */
const signalOf = (code: number): string | undefined =>
  Object.entries(constants.signals).find(([, number]) => number === code - 128)?.[0];

const cancelled = (): CommandResult => failed('Cancelled', 'The step was cancelled.');

const timedOut = ({ timeoutMs }: CommandLimits): CommandResult =>
  failed('CommandTimedOut', `The command took longer than its time limit of ${timeoutMs / 1000} s.`);

const diskFull = ({ diskBytes }: CommandLimits): CommandResult =>
  failed(
    'DiskLimit',
    `The step's folder grew above ${Math.floor(diskBytes / MIB)} MB. The limit is the setting BATCHPOINT_STEP_DISK_MB.`,
  );
