import { messageOf } from '../domain/errors.ts';
import type { Failure } from '../domain/job.ts';
import type { Manifest } from '../domain/plan.ts';
import type { PrintedLine } from '../scoring/engine.ts';
import type { JobDeps } from './deps.ts';
import type { Log } from './ports.ts';

const nothing = (): void => undefined;

/** What a slice prints: into the app's log as it happens, and into the job's own log in one write at its end. */
export interface JobLog extends Log {
  /** What a user's code prints: for the job's log alone, whatever its level, up to a limit. */
  printed(line: PrintedLine): void;
  /** Adds what was printed to the job's log. Printing must not fail the work: a fault of storage goes into the app's log. */
  flush(): Promise<void>;
}

/** Lines that one slice may add to the job's log. */
const MAX_LINES = 500;

/** Lines, and bytes of them, that a user's code may add in one slice. */
const MAX_PRINTED_LINES = 10_000;
const MAX_PRINTED_BYTES = 1024 * 1024;

/** The log of a job's slices, no louder than the job's `loggingLevel`; every line of the app's log names the job. */
export function jobLog(
  deps: Pick<JobDeps, 'log' | 'logs' | 'clock'>,
  { job, settings }: Pick<Manifest, 'job' | 'settings'>,
): JobLog {
  const level = settings.loggingLevel;
  const lines: string[] = [];
  let dropped = 0;
  let printedLines = 0;
  let printedBytes = 0;
  let unprinted = 0;
  const print =
    (to: 'debug' | 'info' | 'warn' | 'error'): Log['info'] =>
    (fields, message) => {
      deps.log[to]({ job, ...fields }, message);
      if (lines.length - printedLines < MAX_LINES) lines.push(logLine(deps.clock.now(), to, message, fields));
      else dropped++;
    };
  return {
    debug: level === 'Debug' ? print('debug') : nothing,
    info: level === 'Warning' ? nothing : print('info'),
    warn: print('warn'),
    error: print('error'),
    printed({ worker, stream, text }) {
      printedBytes += Buffer.byteLength(text);
      if (unprinted > 0 || printedLines === MAX_PRINTED_LINES || printedBytes > MAX_PRINTED_BYTES) {
        unprinted++;
        return;
      }
      printedLines++;
      lines.push(logLine(deps.clock.now(), 'info', `worker ${worker} ${stream}: ${text}`));
    },
    async flush() {
      if (dropped > 0)
        lines.push(logLine(deps.clock.now(), 'warn', `${dropped} more lines of this slice were left out`));
      if (unprinted > 0)
        lines.push(logLine(deps.clock.now(), 'warn', `${unprinted} more lines that the code printed were left out`));
      await printToJob(deps, job, lines.splice(0));
      dropped = printedLines = printedBytes = unprinted = 0;
    },
  };
}

/** Adds lines to a job's log; a fault of storage costs the lines, not the job. */
export async function printToJob(
  deps: Pick<JobDeps, 'log' | 'logs'>,
  job: string,
  lines: readonly string[],
): Promise<void> {
  try {
    await deps.logs.append(job, lines);
  } catch (error) {
    deps.log.warn({ job, lines: lines.length, error: messageOf(error) }, 'lines are missing in the log of the job');
  }
}

/** One line as people read it: time, level, message and its fields. A line never holds a line break. */
export function logLine(
  now: number,
  level: 'debug' | 'info' | 'warn' | 'error',
  message: string,
  fields: Readonly<Record<string, unknown>> = {},
): string {
  const facts = Object.entries(fields)
    .filter(([, value]) => value !== undefined && value !== null)
    .map(([name, value]) => `${name}=${typeof value === 'string' ? value : JSON.stringify(value)}`);
  const text = [message, ...facts].join(' ').replace(/[\r\n\u2028\u2029\u0085\v\f]+/g, ' ');
  return `${new Date(now).toISOString()} ${level.toUpperCase().padEnd(5)} ${text}`;
}

/** How the log names a failure. */
export const failureText = ({ file, row, code, reason }: Failure): string =>
  `${file}${row === undefined ? '' : ` record ${row}`} failed: ${reason} (${code})`;
