import { lstat, readdir, realpath, stat } from 'node:fs/promises';
import { join, sep } from 'node:path';
import { JobFault } from '../../domain/errors.ts';
import { badBlobName } from '../../domain/uri.ts';

/** A file that a command left, as it is to be uploaded. */
export interface OutputFile {
  /** Below the output's folder, with `/`; empty when the output is this file. */
  readonly path: string;
  /** Absolute, and free of links. */
  readonly local: string;
  /** When it was looked at. */
  readonly bytes: number;
}

/** Something that a command left and that cannot be uploaded. */
export class OutputFault extends JobFault {
  constructor(what: string, reason: string) {
    super('BadOutput', `${what}: ${reason}`);
    this.name = 'OutputFault';
  }
}

const MAX_FILES = 100_000;

/**
 * The files of one output, in name order. Links are followed as far as they stay in the folder of the step. Throws OutputFault for
 * what no blob can be, by name, and when nothing was written.
 *
 * `place` is the path of the output in its datastore: a file, or a folder without a slash at its end.
 */
export async function outputFiles(output: {
  /** As a reason calls it: `Output 'scores'`. */
  readonly what: string;
  readonly isFile: boolean;
  readonly local: string;
  readonly place: string;
  /** The step's own folder, free of links. */
  readonly within: string;
}): Promise<OutputFile[]> {
  const { what } = output;
  const found: OutputFile[] = [];

  const refuse = (path: string, why: string): never => {
    throw new OutputFault(what, `${path === '' ? 'it' : `'${path.slice(0, 200)}'`} ${why}.`);
  };

  const visit = async (path: string, local: string, above: readonly string[]): Promise<void> => {
    const bad = path.includes('\ufffd')
      ? 'has a name that is not UTF-8'
      : path === ''
        ? undefined
        : badBlobName(outputBlob(output.place, path));
    if (bad !== undefined) return refuse(path, bad);
    const real = await unlessDeadEnd(realpath(local));
    if (real === undefined) return refuse(path, 'is a link that leads nowhere');
    if (!real.startsWith(output.within + sep)) return refuse(path, "leads out of the step's folder");
    const seen = await stat(real);
    if (seen.isDirectory()) {
      if (output.isFile) return refuse(path, 'is a folder, and its type is uri_file');
      if (above.includes(real)) return refuse(path, 'is a link to a folder that it lies in');
      const names = (await readdir(real)).sort();
      for (const child of names)
        await visit(path === '' ? child : `${path}/${child}`, join(real, child), [...above, real]);
    } else if (seen.isFile()) {
      found.push({ path, local: real, bytes: seen.size });
      if (found.length > MAX_FILES) refuse('', `has more than ${MAX_FILES} files`);
    } else refuse(path, 'is neither a file nor a folder');
  };

  const there = await unlessDeadEnd(lstat(output.local));
  if (there === undefined) throw nothingWritten(what);
  await visit('', output.local, []);
  if (found.length === 0) throw nothingWritten(what);
  return found;
}

/** The blob of a file below the place of an output. */
export const outputBlob = (place: string, path: string): string =>
  [place, path].filter((part) => part !== '').join('/');

const nothingWritten = (what: string): OutputFault =>
  new OutputFault(what, 'the command ended well and wrote nothing to it.');

const DEAD_ENDS = new Set(['ENOENT', 'ELOOP', 'ENOTDIR']);

/** Undefined for a path that leads to nothing. */
async function unlessDeadEnd<T>(look: Promise<T>): Promise<T | undefined> {
  try {
    return await look;
  } catch (error) {
    if (error instanceof Error && 'code' in error && typeof error.code === 'string' && DEAD_ENDS.has(error.code))
      return undefined;
    throw error;
  }
}
