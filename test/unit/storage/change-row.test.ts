import { describe, expect, test } from 'vitest';
import { changeRow } from '../../../shared/storage/change-row.ts';
import { memoryTables } from '../../../shared/storage/memory-tables.ts';
import type { Table } from '../../../shared/storage/ports.ts';
import { recentRows } from '../../../shared/storage/recent-rows.ts';

const KEY = { partition: 'p', row: 'r' };

/** A table, and how often a row of it was read. */
function watched(): Table & { reads: () => number } {
  const table = memoryTables()('rows');
  let reads = 0;
  return { ...table, get: (key) => (reads++, table.get(key)), reads: () => reads };
}

describe('changing a row that was seen before', () => {
  test('needs no read while nobody else writes', async () => {
    const table = watched();
    const recent = recentRows(10);
    for (const n of [1, 2, 3]) await changeRow(table, KEY, async () => ({ n }), recent);
    expect(table.reads()).toBe(1);
    expect((await table.get(KEY))?.values).toEqual({ n: 3 });
  });

  test('is done to what another wrote meanwhile', async () => {
    const table = watched();
    const recent = recentRows(10);
    const add = async (row?: { values: Readonly<Record<string, unknown>> }) => ({
      n: Number(row?.values['n'] ?? 0) + 1,
    });
    await changeRow(table, KEY, add, recent);
    await changeRow(table, KEY, add);
    await changeRow(table, KEY, add, recent);
    expect((await table.get(KEY))?.values).toEqual({ n: 3 });
  });

  test('leaves it only when the newest one is to be left', async () => {
    const table = watched();
    const recent = recentRows(10);
    await changeRow(table, KEY, async () => ({ state: 'done' }), recent);
    await changeRow(table, KEY, async () => ({ state: 'open' }));
    const seen: unknown[] = [];
    const end = async (row?: { values: Readonly<Record<string, string | number | boolean>> }) => {
      seen.push(row?.values['state']);
      return row?.values['state'] === 'done' ? undefined : { state: 'done' };
    };
    await changeRow(table, KEY, end, recent);
    expect(seen).toEqual(['done', 'open']);
    expect((await table.get(KEY))?.values).toEqual({ state: 'done' });
  });

  test('that is gone makes it anew', async () => {
    const table = watched();
    const recent = recentRows(10);
    await changeRow(table, KEY, async () => ({ n: 1 }), recent);
    await changeRow(table, KEY, async () => 'remove');
    await changeRow(table, KEY, async (row) => ({ n: row ? 2 : 9 }), recent);
    expect((await table.get(KEY))?.values).toEqual({ n: 9 });
  });

  test('that was removed finds none', async () => {
    const table = watched();
    const recent = recentRows(10);
    await changeRow(table, KEY, async () => ({ n: 1 }), recent);
    await changeRow(table, KEY, async () => 'remove', recent);
    const seen: unknown[] = [];
    await changeRow(table, KEY, async (row) => (seen.push(row), undefined), recent);
    expect([seen, await table.get(KEY)]).toEqual([[undefined], undefined]);
  });

  test('forgets the oldest rows first', () => {
    const recent = recentRows(2);
    for (const row of ['a', 'b', 'a', 'c']) recent.note({ partition: 'p', row, etag: '1', values: {} });
    expect(['a', 'b', 'c'].map((row) => recent.of({ partition: 'p', row }) !== undefined)).toEqual([true, false, true]);
  });
});
