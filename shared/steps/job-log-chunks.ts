import { keepNewest } from '../domain/keep-newest.ts';
import { isConflict, type Blobs } from '../storage/ports.ts';
import { collect } from '../storage/json-blobs.ts';
import { JOBS_CONTAINER } from '../storage/registry/jobs.ts';

/**
 * What jobs print, as people read it. A job's text only grows: clients that stream it print what comes after the lines that they
 * have seen.
 */
export interface JobLogs {
  /** Adds lines at the end of a job's log, in one write. */
  append(job: string, lines: readonly string[]): Promise<void>;
  /** All that was printed so far, UTF-8; empty for a job that has printed nothing. */
  read(job: string): Promise<Uint8Array>;
  /** The same up to the lines that this process has added last; a short log is not read for that. */
  readOwn(job: string): Promise<Uint8Array>;
}

/** Jobs whose place in their log, or whose text, is kept in memory. */
const JOBS_IN_MEMORY = 16;

/** A log of more bytes is not kept for what this process adds to it. */
const SHORT_LOG = 64 * 1024;

/** Chunks asked for at once. */
const READ_AHEAD = 8;

const NOTHING = { chunks: 0, bytes: new Uint8Array() };

/**
 * Logs as numbered blobs without a gap: every append writes the next number if it is absent, so several instances can write and
 * nothing is ever put before what a reader has seen. An append costs one request, a read one for each new chunk.
 */
export function jobLogChunks(blobs: Blobs): JobLogs {
  const folder = (job: string) => `${job}/log/`;
  const chunkRef = (job: string, chunk: number) => ({
    container: JOBS_CONTAINER,
    name: `${folder(job)}${String(chunk).padStart(8, '0')}`,
  });
  /** The last append of each job in this process, whose answer is the number after it. */
  const ends = new Map<string, Promise<number>>();
  const known = new Map<string, { chunks: number; bytes: Uint8Array }>();

  const countChunks = async (job: string): Promise<number> => {
    let count = 0;
    for await (const _ of blobs.list(JOBS_CONTAINER, { prefix: folder(job) })) count++;
    return count;
  };

  /** False when another has written a chunk of this number. */
  const wrote = async (job: string, chunk: number, body: Uint8Array): Promise<boolean> => {
    try {
      await blobs.write(chunkRef(job, chunk), body, { ifNoneMatch: '*', contentType: 'text/plain; charset=utf-8' });
      return true;
    } catch (error) {
      if (!isConflict(error)) throw error;
      return false;
    }
  };

  /** Answers the number after it. */
  const written = (job: string, chunk: number, body: Uint8Array): number => {
    const { chunks, bytes } = known.get(job) ?? NOTHING;
    if (chunks === chunk && bytes.length + body.length <= SHORT_LOG)
      keepNewest(known, job, { chunks: chunk + 1, bytes: Buffer.concat([bytes, body]) }, JOBS_IN_MEMORY);
    return chunk + 1;
  };

  const writeNext = async (job: string, from: number, body: Uint8Array): Promise<number> => {
    for (let chunk = from; ; chunk++) if (await wrote(job, chunk, body)) return written(job, chunk, body);
  };

  const readOn = async (job: string): Promise<Uint8Array> => {
    let { chunks, bytes } = known.get(job) ?? NOTHING;
    // Most logs have a chunk or two; long ones are read ever wider.
    for (let width = 2; ; width = Math.min(READ_AHEAD, width * 2)) {
      const found = await Promise.all(
        Array.from({ length: width }, async (_, ahead) => {
          const read = await blobs.read(chunkRef(job, chunks + ahead));
          return read && collect(read.body);
        }),
      );
      const end = found.indexOf(undefined);
      const added = found.slice(0, end === -1 ? undefined : end).filter((chunk) => chunk !== undefined);
      bytes = Buffer.concat([bytes, ...added]);
      chunks += added.length;
      if (end !== -1) break;
    }
    keepNewest(known, job, { chunks, bytes }, JOBS_IN_MEMORY);
    return bytes;
  };

  return {
    read: readOn,

    async readOwn(job) {
      const end = await ends.get(job)?.catch(() => undefined);
      const own = known.get(job);
      return own && end !== undefined && own.chunks >= end ? own.bytes : readOn(job);
    },

    async append(job, lines) {
      if (lines.length === 0) return;
      const body = new TextEncoder().encode(`${lines.join('\n')}\n`);
      const before = ends.get(job);
      const end = (async () => {
        // After a fault the number is not known any more.
        if (before) return writeNext(job, await before.catch(() => countChunks(job)), body);
        // Most logs are begun here.
        return (await wrote(job, 0, body)) ? written(job, 0, body) : writeNext(job, await countChunks(job), body);
      })();
      keepNewest(ends, job, end, JOBS_IN_MEMORY);
      await end;
    },
  };
}
