import { createReadStream } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { format } from 'node:util';
import type { LocalFile } from '../engine.ts';
import { LOGGING_LEVELS, type LoggingLevel } from './protocol.ts';
import type { Logger, MiniBatchFile } from './scoring-module.ts';

/** What a module is given besides its model. */
export function miniBatchFile({ name, path }: LocalFile): MiniBatchFile {
  return {
    name,
    path,
    bytes: () => readFile(path),
    text: () => readFile(path, 'utf8'),
    stream: () => createReadStream(path),
  };
}

/** Lines on the process's own streams, with the level's name as Python's logging writes it. */
export function streamLogger(level: LoggingLevel): Logger {
  const shown = (of: LoggingLevel) => LOGGING_LEVELS.indexOf(of) >= LOGGING_LEVELS.indexOf(level);
  const line = (stream: NodeJS.WriteStream, name: string, values: readonly unknown[]) => {
    stream.write(`${name} ${format(...values)}\n`);
  };
  return {
    debug: (...values) => {
      if (shown('Debug')) line(process.stdout, 'DEBUG', values);
    },
    info: (...values) => {
      if (shown('Info')) line(process.stdout, 'INFO', values);
    },
    warn: (...values) => line(process.stderr, 'WARNING', values),
    error: (...values) => line(process.stderr, 'ERROR', values),
  };
}
