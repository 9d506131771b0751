import { pino } from 'pino';
import { logContext } from './job-scope.ts';
import type { LogLevel } from './sdk.ts';
import type { Telemetry } from './start-telemetry.ts';

type Line = (fields: Readonly<Record<string, unknown>>, message: string) => void;

/** The app's log: one line of JSON each to the output, and to where the spans go. */
export interface AppLog extends Record<LogLevel, Line> {
  /** From now on lines go there too. */
  sendTo(telemetry: Telemetry): void;
}

/**
 * Every line names the job that it was written for and the span that it was written in, whoever writes it: both are bound to the
 * call, so no step has to pass them on.
 */
export function appLog(level: LogLevel | 'silent'): AppLog {
  const output = pino({ level, base: null, mixin: logContext });
  let send: Telemetry['sendLog'];
  const line =
    (at: LogLevel): Line =>
    (fields, message) => {
      output[at](fields, message);
      if (send && output.isLevelEnabled(at)) send(at, fields, message);
    };
  return {
    debug: line('debug'),
    info: line('info'),
    warn: line('warn'),
    error: line('error'),
    sendTo(telemetry) {
      send = telemetry.sendLog;
    },
  };
}
