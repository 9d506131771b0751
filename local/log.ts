import { z } from 'zod';
import { reasonOf } from './reason.ts';

const order = ['trace', 'debug', 'information', 'warning', 'error', 'critical', 'none'] as const;
export type LogLevel = (typeof order)[number];

/** Levels by category, as in host.json `logging.logLevel`; names of levels in any case. */
export const logLevels = z.record(z.string(), z.string().toLowerCase().pipe(z.enum(order)));
export type LogLevels = z.infer<typeof logLevels>;

export interface Log {
  info(line: string): void;
  warn(line: string): void;
  error(line: string, error?: unknown): void;
  /** A line about one execution, filtered by the level of its function's category; --verbose prints all. */
  execution(functionName: string, level: LogLevel, line: string): void;
  /** A line that a function wrote, filtered by host.json's levels. */
  app(level: LogLevel, category: string, line: string): void;
}

/** Warnings and errors go to stderr, all else to stdout. */
export function createLog(levels: LogLevels, verbose: boolean): Log {
  const out = (line: string): void => void process.stdout.write(`${line}\n`);
  const err = (line: string): void => void process.stderr.write(`${line}\n`);

  /** The most specific category that host.json names wins: Function.x.User, Function.x, Function, default. */
  function threshold(category: string): LogLevel {
    for (let name = category; name !== ''; name = name.slice(0, Math.max(name.lastIndexOf('.'), 0))) {
      const level = levels[name];
      if (level !== undefined) return level;
    }
    return levels['default'] ?? 'information';
  }

  const isBelow = (level: LogLevel, category: string): boolean =>
    level === 'none' || order.indexOf(level) < order.indexOf(threshold(category));

  return {
    info: out,
    warn: (line) => err(`warning: ${line}`),
    error: (line, error) => err(error === undefined ? `error: ${line}` : `error: ${line} ${describe(error)}`),
    execution: (functionName, level, line) => {
      if (verbose || !isBelow(level, `Function.${functionName}`)) out(line);
    },
    app: (level, category, line) => {
      if (isBelow(level, category)) return;
      (order.indexOf(level) >= order.indexOf('error') ? err : out)(`${level}: ${category}: ${line}`);
    },
  };
}

/** An error with its stack; of storage's errors only the reason and the frames that are not the SDK's. */
function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const stack = error.stack ?? error.message;
  if (error.name !== 'RestError') return stack;
  const frames = stack.split('\n').filter((line) => /^\s+at /.test(line) && !/node_modules|node:/.test(line));
  return [`RestError: ${reasonOf(error)}`, ...frames].join('\n');
}
