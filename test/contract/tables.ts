import { beforeAll, describe, expect, it } from 'vitest';
import { allRows } from '../../shared/storage/all-rows.ts';
import { isConflict, type Table, type TableRow, type TableValues } from '../../shared/storage/ports.ts';
import { gather } from '../support/gather.ts';
import { withEmptyPages } from '../support/empty-pages.ts';

let drawn = 0;
const key = (partition = `p${(drawn += 1)}`, row = 'row') => ({ partition, row });
const conflict = (status: number, code: string) => ({ name: 'StorageFault', status, code });

/** What every adapter of the tables port must do. `make` gives a table that no other suite uses. */
export function tablesContract(name: string, make: () => Promise<Table>): void {
  describe(`tables: ${name}`, () => {
    let table: Table;
    beforeAll(async () => {
      table = await make();
    });

    describe('one row', () => {
      const values: TableValues = {
        text: 'zwölf 12 ✓ "quoted"',
        empty: '',
        whole: 5,
        big: 5e9,
        part: -0.25,
        yes: true,
        no: false,
      };

      it('is absent until it is inserted', async () => {
        const at = key();
        expect(await table.get(at)).toBeUndefined();
        const { etag } = await table.insert(at, values);
        expect(await table.get(at)).toEqual({ ...at, etag, values });
      });

      it('may have no values', async () => {
        const at = key();
        const { etag } = await table.insert(at, {});
        expect(await table.get(at)).toEqual({ ...at, etag, values: {} });
      });

      it.each(["it's", 'a b', 'a|b', '100%', 'ümläut', '日本', 'a_b-c.d~', 'x'.repeat(512)])(
        'lives under the key %s',
        async (text) => {
          const at = key(text, text);
          const { etag } = await table.insert(at, { text });
          expect(await table.get(at)).toEqual({ ...at, etag, values: { text } });
          expect((await table.query(text)).rows).toEqual([{ ...at, etag, values: { text } }]);
        },
      );

      it('tells keys apart by case', async () => {
        const lower = key('case', 'a');
        await table.insert(lower, { is: 'lower' });
        expect(await table.get(key('case', 'A'))).toBeUndefined();
        expect(await table.get(key('Case', 'a'))).toBeUndefined();
      });

      it('keeps the values of the moment of the call', async () => {
        const at = key();
        const changing: Record<string, string> = { text: 'before' };
        const inserted = table.insert(at, changing);
        await inserted;
        changing['text'] = 'after';
        expect((await table.get(at))?.values).toEqual({ text: 'before' });
      });
    });

    describe('conditional writes', () => {
      it('inserts a key once', async () => {
        const at = key();
        await table.insert(at, { by: 'first' });
        await expect(table.insert(at, { by: 'second' })).rejects.toMatchObject(conflict(409, 'EntityAlreadyExists'));
        expect((await table.get(at))?.values).toEqual({ by: 'first' });
      });

      it('lets exactly one of many concurrent inserts win', async () => {
        const at = key();
        const tries = await Promise.allSettled(Array.from({ length: 6 }, (_, by) => table.insert(at, { by })));
        const won = tries.flatMap((one, by) => (one.status === 'fulfilled' ? [by] : []));
        expect(won).toHaveLength(1);
        expect(tries.filter((one) => one.status === 'rejected' && isConflict(one.reason))).toHaveLength(5);
        expect((await table.get(at))?.values).toEqual({ by: won[0] });
      });

      it('replaces all values, and moves the ETag', async () => {
        const at = key();
        const first = await table.insert(at, { old: 1, both: 'a' });
        const second = await table.replace(at, { both: 'b' }, first.etag);
        expect(second.etag).not.toBe(first.etag);
        expect(await table.get(at)).toEqual({ ...at, etag: second.etag, values: { both: 'b' } });
      });

      it('refuses to replace what changed since', async () => {
        const at = key();
        const { etag } = await table.insert(at, { n: 1 });
        await table.replace(at, { n: 2 }, etag);
        await expect(table.replace(at, { n: 3 }, etag)).rejects.toMatchObject(
          conflict(412, 'UpdateConditionNotSatisfied'),
        );
        expect((await table.get(at))?.values).toEqual({ n: 2 });
      });

      it('refuses to replace what is gone, and to bring it back', async () => {
        const at = key();
        const { etag } = await table.insert(at, { n: 1 });
        await table.remove(at, etag);
        await expect(table.replace(at, { n: 2 }, etag)).rejects.toMatchObject(conflict(404, 'ResourceNotFound'));
        expect(await table.get(at)).toBeUndefined();
      });

      it('removes with the present ETag only', async () => {
        const at = key();
        const { etag } = await table.insert(at, { n: 1 });
        const next = await table.replace(at, { n: 2 }, etag);
        await expect(table.remove(at, etag)).rejects.toMatchObject(conflict(412, 'UpdateConditionNotSatisfied'));
        expect((await table.get(at))?.values).toEqual({ n: 2 });
        await table.remove(at, next.etag);
        await expect(table.remove(at, next.etag)).rejects.toMatchObject(conflict(404, 'ResourceNotFound'));
      });

      it.each(['', '*'])('takes no ETag that matches everything: %j', async (etag) => {
        const at = key();
        await table.insert(at, { n: 1 });
        await expect(table.replace(at, { n: 2 }, etag)).rejects.toThrow('needs the ETag');
        await expect(table.remove(at, etag)).rejects.toThrow('needs the ETag');
        expect((await table.get(at))?.values).toEqual({ n: 1 });
      });
    });

    describe('what storage cannot hold', () => {
      it.each(['a/b', 'a\\b', 'a#b', 'a?b', 'a\nb', 'a\u007fb', '', 'x'.repeat(513)])(
        'refuses the key %j',
        async (text) => {
          for (const at of [key(text, 'row'), key('partition', text)]) {
            const calls = [() => table.get(at), () => table.insert(at, {}), () => table.replace(at, {}, 'W/"1"')];
            for (const call of [...calls, () => table.remove(at, 'W/"1"')]) {
              await expect((async () => call())()).rejects.toThrow('key');
            }
          }
          await expect(table.query(text)).rejects.toThrow('not a partition key');
        },
      );

      it('refuses long text, and holds text just below', async () => {
        const at = key();
        const insert = async (length: number) => table.insert(at, { text: 'ä'.repeat(length) });
        await expect(insert(32 * 1024)).rejects.toThrow('column text holds 32768 characters');
        await insert(32 * 1024 - 1);
        expect((await table.get(at))?.values).toEqual({ text: 'ä'.repeat(32 * 1024 - 1) });
      });

      it.each([NaN, Infinity])('refuses the number %d', async (n) => {
        await expect((async () => table.insert(key(), { n }))()).rejects.toThrow('finite');
      });

      it.each(['a b', '', 'RowKey', 'etag', 'odata.x'])('refuses the column %j', async (column) => {
        await expect((async () => table.insert(key(), { [column]: 1 }))()).rejects.toThrow('not a column name');
      });
    });

    describe('queries', () => {
      const rowKeys = Array.from({ length: 25 }, (_, n) => `r${String(n).padStart(2, '0')}`);
      const keysOf = (rows: readonly TableRow[]) => rows.map(({ row }) => row);
      const collect = (from: Table, partition: string, options = {}) => gather(allRows(from, partition, options));

      beforeAll(async () => {
        for (const row of [...rowKeys].reverse()) await table.insert(key('many', row), { row });
        await table.insert(key('single', 'only'), { n: 1 });
        await table.insert(key('many2', 'r00'), { foreign: true });
      });

      it('finds nothing in an absent partition', async () => {
        expect(await table.query('nobody')).toEqual({ rows: [] });
        expect(await collect(table, 'nobody')).toEqual([]);
      });

      it('finds one row whole', async () => {
        const row = await table.get(key('single', 'only'));
        expect(await table.query('single')).toEqual({ rows: [row] });
      });

      it('gives rows in key order, of this partition only', async () => {
        const { rows, continuation } = await table.query('many');
        expect(keysOf(rows)).toEqual(rowKeys);
        expect(rows.map(({ values }) => values)).toEqual(rowKeys.map((row) => ({ row })));
        expect(continuation).toBeUndefined();
      });

      it.each([
        [{ from: 'r03', to: 'r06' }, rowKeys.slice(3, 6)],
        [{ from: 'r23' }, rowKeys.slice(23)],
        [{ to: 'r02' }, rowKeys.slice(0, 2)],
        [{ from: 'r05', to: 'r05' }, []],
        [{ from: 'r05x', to: 'r06x' }, ['r06']],
        [{ from: 's' }, []],
      ])('takes rows in %j', async (range, expected) => {
        expect(keysOf(await collect(table, 'many', range))).toEqual(expected);
        expect(keysOf(await collect(table, 'many', { ...range, limit: 2 }))).toEqual(expected);
      });

      it.each([1, 10, 25, 26])('pages by %d', async (limit) => {
        const first = await table.query('many', { limit });
        expect(first.rows.length).toBeLessThanOrEqual(limit);
        expect(keysOf(await collect(table, 'many', { limit }))).toEqual(rowKeys);
      });

      it('survives rows that come and go between pages', async () => {
        for (const row of ['a', 'c', 'e']) await table.insert(key('moving', row), {});
        const first = await table.query('moving', { limit: 2 });
        await table.insert(key('moving', 'b'), {});
        await table.insert(key('moving', 'f'), {});
        const seen = [...first.rows];
        for (let next = first.continuation; next !== undefined;) {
          const page = await table.query('moving', { limit: 2, continuation: next });
          seen.push(...page.rows);
          next = page.continuation;
        }
        expect(keysOf(seen)).toEqual(['a', 'c', 'e', 'f']);
      });

      it('goes on through empty pages', async () => {
        expect(keysOf(await collect(withEmptyPages(table), 'many', { limit: 10 }))).toEqual(rowKeys);
        expect(await collect(withEmptyPages(table), 'nobody')).toEqual([]);
      });

      it.each([0, -1, 1.5])('refuses a page of %d', async (limit) => {
        await expect(table.query('many', { limit })).rejects.toThrow(RangeError);
      });
    });
  });
}
