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
  /** Bytes that the code of this lane has printed into the log before this slice. */
  goOnFrom(printedBytes: number): void;
  /** The same, up to now. */
  printedBytes(): number;
  /**
   * Adds what was printed since the last time to the job's log. Printing must not fail the work: a fault of storage goes into the
   * app's log.
   */
  flush(): Promise<void>;
}

/** Lines that one slice may add to the job's log. */
const MAX_LINES = 500;

/** Lines, and bytes of them, that a user's code may add in one slice; and bytes in the whole job, by equal parts of its lanes. */
const MAX_PRINTED_LINES = 10_000;
const MAX_PRINTED_BYTES = 1024 * 1024;
const MAX_PRINTED_IN_JOB = 16 * 1024 * 1024;

/** The log of a job's slices, no louder than the job's `loggingLevel`; every line of the app's log names the job. */
export function jobLog(
  deps: Pick<JobDeps, 'log' | 'logs' | 'clock'>,
  { job, settings, lanes }: Pick<Manifest, 'job' | 'settings' | 'lanes'>,
): JobLog {
  const level = settings.loggingLevel;
  const lines: string[] = [];
  const own = { lines: 0, dropped: 0 };
  const code = { before: 0, bytes: 0, lines: 0, dropped: 0 };
  const print =
    (to: 'debug' | 'info' | 'warn' | 'error'): Log['info'] =>
    (fields, message) => {
      deps.log[to]({ job, ...fields }, message);
      if (own.lines === MAX_LINES) {
        own.dropped++;
        return;
      }
      own.lines++;
      lines.push(logLine(deps.clock.now(), to, message, fields));
    };
  const hasRoomFor = (bytes: number): boolean =>
    code.lines < MAX_PRINTED_LINES &&
    code.bytes + bytes <= Math.min(MAX_PRINTED_BYTES, MAX_PRINTED_IN_JOB / lanes.length - code.before);
  return {
    debug: level === 'Debug' ? print('debug') : nothing,
    info: level === 'Warning' ? nothing : print('info'),
    warn: print('warn'),
    error: print('error'),
    printed({ worker, stream, text }) {
      // Once a line was left out the others are only counted: what is kept has no gap.
      const line = code.dropped === 0 ? `worker ${worker} ${stream}: ${text}` : '';
      const bytes = Buffer.byteLength(line);
      if (code.dropped > 0 || !hasRoomFor(bytes)) {
        code.dropped++;
        return;
      }
      code.lines++;
      code.bytes += bytes;
      lines.push(logLine(deps.clock.now(), 'info', line));
    },
    goOnFrom(printedBytes) {
      code.before = printedBytes;
    },
    printedBytes: () => code.before + code.bytes,
    async flush() {
      const now = deps.clock.now();
      if (own.dropped > 0) lines.push(logLine(now, 'warn', `${own.dropped} more lines of this slice were left out`));
      if (code.dropped > 0)
        lines.push(logLine(now, 'warn', `${code.dropped} more lines that the code printed were left out`));
      [own.lines, own.dropped, code.dropped] = [0, 0, 0];
      await printToJob(deps, job, lines.splice(0));
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
