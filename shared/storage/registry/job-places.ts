import { z } from 'zod';
import { sha256 } from '../../domain/blocks.ts';
import type { JobPlace } from '../../domain/limits.ts';
import { mapBounded } from '../../domain/map-bounded.ts';
import { allRows } from '../all-rows.ts';
import { changeRow } from '../change-row.ts';
import { insertOnce } from '../insert-once.ts';
import { isConflict, type Table, type TableKey, type TableRow } from '../ports.ts';
import type { RecentRows } from '../recent-rows.ts';
import type { Jobs } from './jobs-port.ts';

/** A place is taken before its job is stored: one without a job is nobody's after this. */
const ORPHAN_MS = 60_000;

/** Every refused request would otherwise look at every job of a full group. */
const LOOK_EVERY_MS = 10_000;

/** Jobs that are looked at side by side. */
const WIDTH = 16;

/**
 * Places of running jobs: a group of `limit` places is the rows 0 to limit - 1 of a partition, so that no race can take one more. A
 * place is one insert; only where it is taken are the others looked at. Whose job has ended, or was never stored, loses its place
 * to the next one that finds the group full, so that a crash costs nobody a place for ever.
 */
export function jobPlaces(
  table: Table,
  isOver: (job: string) => Promise<boolean>,
  recent: RecentRows,
): Pick<Jobs, 'enter' | 'leave'> {
  const lookedAt = new Map<string, number>();

  const take = (key: TableKey, job: string, now: number): Promise<boolean> =>
    insertOnce(table, key, { job, since: now }, recent);

  async function isLeft({ values }: TableRow, now: number): Promise<boolean> {
    const { job, since } = Holder.parse(values);
    return now - since >= ORPHAN_MS && (await isOver(job));
  }

  /** One whose holder is over; looked for seldom, because it is a question for each holder. */
  async function takeOver(rows: readonly TableRow[], job: string, now: number): Promise<string | undefined> {
    const group = rows[0]?.partition ?? '';
    if (now - (lookedAt.get(group) ?? -LOOK_EVERY_MS) < LOOK_EVERY_MS) return undefined;
    lookedAt.set(group, now);
    const left = await mapBounded(rows, WIDTH, (row) => isLeft(row, now));
    for (const row of rows.filter((_, index) => left[index])) {
      try {
        await table.replace(row, { job, since: now }, row.etag);
        return row.row;
      } catch (error) {
        if (!isConflict(error)) throw error;
      }
    }
    return undefined;
  }

  async function placeIn(group: string, limit: number, job: string, now: number): Promise<Place | undefined> {
    const partition = `running-${sha256(group)}`;
    const likely = Number.parseInt(sha256(job).slice(0, 8), 16) % limit;
    if (await take({ partition, row: rowOf(likely) }, job, now)) return { group, slot: rowOf(likely), isNew: true };
    const rows: TableRow[] = [];
    for await (const row of allRows(table, partition, { to: rowOf(limit) })) rows.push(row);
    const own = rows.find(({ values }) => values['job'] === job);
    if (own) return { group, slot: own.row, isNew: false };
    const taken = new Set(rows.map(({ row }) => row));
    for (let step = 1; step < limit; step++) {
      const row = rowOf((likely + step) % limit);
      if (!taken.has(row) && (await take({ partition, row }, job, now))) return { group, slot: row, isNew: true };
    }
    const slot = await takeOver(rows, job, now);
    return slot === undefined ? undefined : { group, slot, isNew: true };
  }

  const leave: Jobs['leave'] = async (job, places) => {
    const free = async (row: TableRow | undefined) => (row?.values['job'] === job ? 'remove' : undefined);
    await Promise.all(
      places.map(({ group, slot }) =>
        changeRow(table, { partition: `running-${sha256(group)}`, row: slot }, free, recent),
      ),
    );
  };

  return {
    leave,

    async enter(job, groups, now) {
      const found = await Promise.all(groups.map(({ group, limit }) => placeIn(group, limit, job, now)));
      const places = found.filter((place) => place !== undefined);
      const full = groups.find((_, index) => !found[index]);
      if (full) {
        await leave(
          job,
          places.filter(({ isNew }) => isNew),
        );
        return { full: full.group };
      }
      return {
        places: places.map(({ group, slot }) => ({ group, slot })),
        isNew: places.some(({ isNew }) => isNew),
      };
    },
  };
}

interface Place extends JobPlace {
  readonly isNew: boolean;
}

const Holder = z.object({ job: z.string(), since: z.number() });

/** As many digits as the largest limit needs: rows are in the order of their numbers. */
const rowOf = (place: number): string => String(place).padStart(5, '0');
