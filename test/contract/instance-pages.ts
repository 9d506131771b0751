import { beforeAll, describe, expect, test } from 'vitest';
import { allHeads, BadContinuation, type InstanceHead, type InstanceStore } from '../../local/durable/store.ts';
import { gather } from '../support/gather.ts';
import { headOf } from './instance-samples.ts';

/** How every store of instances pages through their heads; `open` gives an empty one. */
export function instancePagesContract(name: string, open: () => Promise<InstanceStore>): void {
  describe(`${name}: pages of heads`, () => {
    const statuses = ['Pending', 'Running', 'Completed'] as const;
    let store: InstanceStore;
    let all: InstanceHead[];
    beforeAll(async () => {
      store = await open();
      all = Array.from({ length: 31 }, (_, n) =>
        headOf({
          instanceId: `${n % 2 === 0 ? 'even' : 'odd'}-${n}`,
          status: statuses[n % 3] ?? 'Failed',
          createdTime: new Date(Date.UTC(2026, 0, 1, 0, 0, n)).toISOString(),
        }),
      );
      for (const head of all) await store.create(head);
    });

    const ids = (heads: readonly InstanceHead[]): string[] => heads.map(({ instanceId }) => instanceId).sort();
    const collected = async (query: Parameters<typeof allHeads>[1]): Promise<InstanceHead[]> =>
      gather(allHeads(store, query));

    test('an empty store has one empty page', async () => {
      expect(await (await open()).heads()).toEqual({ heads: [] });
    });

    test.each([1, 7, 31, 1000])('pages of %i hold each head once', async (top) => {
      const page = await store.heads({ top });
      expect(page.heads.length).toBeLessThanOrEqual(top);
      expect(ids(await collected({ top }))).toEqual(ids(all));
    });

    test.each([
      { query: { statuses: ['Running'] as const }, selects: (_: InstanceHead, n: number) => n % 3 === 1 },
      { query: { statuses: ['Running', 'Completed'] as const }, selects: (_: InstanceHead, n: number) => n % 3 !== 0 },
      { query: { statuses: [] }, selects: () => false },
      { query: { idPrefix: 'odd-' }, selects: (_: InstanceHead, n: number) => n % 2 === 1 },
      { query: { idPrefix: "o'dd" }, selects: () => false },
      { query: { createdFrom: '2026-01-01T00:00:20.000Z' }, selects: (_: InstanceHead, n: number) => n >= 20 },
      { query: { createdTo: '2026-01-01T00:00:20.000Z' }, selects: (_: InstanceHead, n: number) => n <= 20 },
      {
        query: {
          createdFrom: '2026-01-01T00:00:04.000Z',
          createdTo: '2026-01-01T00:00:09.000Z',
          idPrefix: 'even',
          statuses: ['Running'] as const,
        },
        selects: (_: InstanceHead, n: number) => n === 4,
      },
    ])('$query', async ({ query, selects }) => {
      expect(ids(await collected({ ...query, top: 3 }))).toEqual(ids(all.filter(selects)));
    });

    test('a continuation of somebody else is refused', async () => {
      await expect(store.heads({ continuation: 'garbage' })).rejects.toThrow(BadContinuation);
    });
  });
}
