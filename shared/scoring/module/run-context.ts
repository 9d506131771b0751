import { createReadStream, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { Readable } from 'node:stream';
import { format } from 'node:util';
import type { LocalFile } from '../engine.ts';
import { LOGGING_LEVELS, type LoggingLevel } from './protocol.ts';
import type { Logger, MiniBatchFile } from './scoring-module.ts';

/** What a module is given besides its model. */
export const miniBatchFile = ({ name, path, bytes }: LocalFile): MiniBatchFile =>
  bytes ? fileInMemory(name, path, Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)) : fileOnDisk(name, path);

/** It is written when somebody asks where it lies: on some disks to make a file takes longer than to score it. */
function fileInMemory(name: string, path: string, content: Buffer): MiniBatchFile {
  let written = false;
  return {
    name,
    get path() {
      if (!written) writeCopy(path, content);
      written = true;
      return path;
    },
    bytes: async () => Buffer.from(content),
    text: async () => content.toString('utf8'),
    stream: () => Readable.from([Buffer.from(content)], { objectMode: false }),
  };
}

/** Read-only, so that code which writes to its input by mistake learns it. What an earlier try left there goes. */
function writeCopy(path: string, content: Buffer): void {
  mkdirSync(dirname(path), { recursive: true });
  rmSync(path, { recursive: true, force: true });
  writeFileSync(path, content, { flag: 'wx', mode: 0o444 });
}

function fileOnDisk(name: string, path: string): MiniBatchFile {
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
