import { z } from 'zod';
import { sha256 } from '../../domain/blocks.ts';
import { mapBounded } from '../../domain/map-bounded.ts';
import { BlobVersion } from '../../domain/plan.ts';
import { folderKey, type WatchedFolder } from '../../domain/watch.ts';
import { allRows } from '../all-rows.ts';
import { insertOnce } from '../insert-once.ts';
import { isConflict, type Table, type TableRow } from '../ports.ts';
import { removeIfThere } from '../remove-if-there.ts';

/** A gathering's lock, held: `job` is the one that is being made of what waited, null before its list is written. */
export interface Hold {
  readonly job: string | null;
  readonly etag: string;
}

/**
 * The blobs that a watched folder has been told of. A blob version is `waiting` until a job has it and `seen` from then on; a
 * version that is both is seen. The hold is a lock and a journal in one row: whoever takes it over from a dead holder finds
 * the job that was being made. Every step is a write that has the ETag of the hold, so a holder that was only slow changes
 * nothing any more.
 */
export interface WatchEvents {
  /** Makes a version wait; a repeat changes nothing. False when it has been seen. */
  add(folder: WatchedFolder, version: BlobVersion): Promise<boolean>;
  /** How many wait, counted up to `atMost`. */
  count(folder: WatchedFolder, atMost: number): Promise<number>;
  /** Up to `atMost` versions that wait and have not been seen. Only for the holder. */
  waiting(folder: WatchedFolder, atMost: number): Promise<BlobVersion[]>;
  /** Notes that versions have their job. Safe to repeat. */
  settle(folder: WatchedFolder, versions: readonly BlobVersion[]): Promise<void>;
  /** Takes the hold, also of a holder that has been silent for a minute. Undefined when another has it. */
  hold(folder: WatchedFolder): Promise<Hold | undefined>;
  /** Notes in the hold which job is being made. Undefined when the hold was lost meanwhile. */
  journal(folder: WatchedFolder, hold: Hold, job: string): Promise<Hold | undefined>;
  release(folder: WatchedFolder, hold: Hold): Promise<void>;
  /** Removes some of what was seen more than 30 days ago. */
  forget(folder: WatchedFolder): Promise<void>;
}

const HELD_MS = 60_000;

/** Repeats are recognised for 30 to 60 days: what was seen is kept by spans of 30. */
const SPAN_MS = 30 * 24 * 3600 * 1000;
const FORGET_AT_ONCE = 500;

/** Requests on their way at once. */
const WIDTH = 16;

const HOLD = 'hold';
const WAITING = 'waiting|';
const SEEN = 'seen|';
const END = '~';

const WaitingValues = z.object({
  version: z
    .string()
    .transform((text): unknown => JSON.parse(text))
    .pipe(BlobVersion),
});
const HoldValues = z.object({ until: z.number(), job: z.string() });

export function watchEvents(table: Table, clock: { now(): number }): WatchEvents {
  const partitionOf = (folder: WatchedFolder): string => `watch|${folderKey(folder)}`;
  const idOf = ({ blob, etag }: BlobVersion): string => sha256(`${blob}\n${etag}`);
  const spanOf = (time: number): number => Math.floor(time / SPAN_MS);
  const seenRow = (span: number, id: string): string => `${SEEN}${String(span).padStart(6, '0')}|${id}`;

  const wasSeen = async (partition: string, id: string): Promise<boolean> => {
    const now = spanOf(clock.now());
    const rows = await Promise.all([now, now - 1].map((span) => table.get({ partition, row: seenRow(span, id) })));
    return rows.some((row) => row !== undefined);
  };

  const rowsWaiting = async (folder: WatchedFolder, atMost: number): Promise<TableRow[]> => {
    const found: TableRow[] = [];
    const range = { from: WAITING, to: WAITING + END, limit: Math.min(atMost, 1000) };
    for await (const row of allRows(table, partitionOf(folder), range)) {
      found.push(row);
      if (found.length === atMost) break;
    }
    return found;
  };

  const writeHold = async (folder: WatchedFolder, job: string | null, until: number, etag?: string) => {
    const key = { partition: partitionOf(folder), row: HOLD };
    const values = { until, job: job ?? '' };
    try {
      const written = etag === undefined ? await table.insert(key, values) : await table.replace(key, values, etag);
      return { job, etag: written.etag };
    } catch (error) {
      if (isConflict(error)) return undefined;
      throw error;
    }
  };

  return {
    async add(folder, version) {
      const partition = partitionOf(folder);
      const id = idOf(version);
      if (await wasSeen(partition, id)) return false;
      await insertOnce(table, { partition, row: WAITING + id }, { version: JSON.stringify(version) });
      return true;
    },

    count: async (folder, atMost) => (await rowsWaiting(folder, atMost)).length,

    async waiting(folder, atMost) {
      const partition = partitionOf(folder);
      const found = await mapBounded(await rowsWaiting(folder, atMost), WIDTH, async (row) => {
        const version = WaitingValues.parse(row.values).version;
        if (!(await wasSeen(partition, idOf(version)))) return [version];
        // A repeat that came in just when the first was settled.
        await removeIfThere(table, row);
        return [];
      });
      return found.flat();
    },

    async settle(folder, versions) {
      const partition = partitionOf(folder);
      const span = spanOf(clock.now());
      await mapBounded(versions, WIDTH, async (version) => {
        const id = idOf(version);
        // In this order: between the two the version is both, which counts as seen.
        await insertOnce(table, { partition, row: seenRow(span, id) }, {});
        await removeIfThere(table, { partition, row: WAITING + id });
      });
    },

    async hold(folder) {
      const row = await table.get({ partition: partitionOf(folder), row: HOLD });
      const until = clock.now() + HELD_MS;
      if (!row) return writeHold(folder, null, until);
      const held = HoldValues.parse(row.values);
      if (held.until > clock.now()) return undefined;
      return writeHold(folder, held.job === '' ? null : held.job, until, row.etag);
    },

    journal: (folder, hold, job) => writeHold(folder, job, clock.now() + HELD_MS, hold.etag),

    async release(folder, hold) {
      await writeHold(folder, null, 0, hold.etag);
    },

    async forget(folder) {
      const partition = partitionOf(folder);
      const to = seenRow(spanOf(clock.now()) - 1, '');
      const { rows } = await table.query(partition, { from: SEEN, to, limit: FORGET_AT_ONCE });
      await mapBounded(rows, WIDTH, (row) => removeIfThere(table, row));
    },
  };
}
