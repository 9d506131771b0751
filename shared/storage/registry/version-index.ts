import { z } from 'zod';
import type { AssetKindName, AssetRecord } from '../../domain/resources.ts';
import { insertOnce } from '../insert-once.ts';
import type { Table } from '../ports.ts';
import { removeIfThere } from '../remove-if-there.ts';

export const VERSION_ORDERS = ['newest', 'oldest'] as const;
export type VersionOrder = (typeof VERSION_ORDERS)[number];

type Indexed = Pick<AssetRecord, 'name' | 'version' | 'createdAt'>;

export interface PageOfVersions {
  readonly versions: readonly Omit<Indexed, 'name'>[];
  readonly continuation?: string;
}

/**
 * The versions of an asset by the time of their making and by number. A row is a hint that the version's own record confirms
 * (same `createdAt`): it is written before the record and removed after it, so a version is never without its rows.
 */
export interface VersionIndex {
  add(kind: AssetKindName, record: Indexed): Promise<void>;
  remove(kind: AssetKindName, record: Indexed): Promise<void>;
  list(
    kind: AssetKindName,
    name: string,
    order: VersionOrder,
    limit: number,
    continuation?: string,
  ): Promise<PageOfVersions>;
  /** The highest version that is a number; 0 when there is none. */
  highestNumber(kind: AssetKindName, name: string): Promise<number>;
}

/** Above all times and all numbers that are counted, so that what counts down has one width. */
const TOP = 9e15;
const padded = (number: number): string => String(number).padStart(16, '0');
const numberOf = (version: string): number => (/^\d{1,15}$/.test(version) ? Number(version) : 0);

const PREFIX: Readonly<Record<VersionOrder, string>> = { newest: 'd', oldest: 'a' };
const NUMBERS = 'n';
/** The character after `|`, the end of every prefix: the end of a range. */
const END = '}';

const Hint = z.object({ version: z.string(), createdAt: z.string() });

export function versionIndex(table: Table): VersionIndex {
  const partitionOf = (kind: AssetKindName, name: string): string => `index|${kind}|${name.toLowerCase()}`;

  /** Among versions of one moment the higher number is the later one. */
  const rowsOf = ({ version, createdAt }: Indexed): string[] => {
    const at = Date.parse(createdAt);
    const number = numberOf(version);
    const key = version.toLowerCase();
    return [
      `${PREFIX.newest}|${padded(TOP - at)}|${padded(TOP - number)}|${key}`,
      `${PREFIX.oldest}|${padded(at)}|${padded(number)}|${key}`,
      ...(number > 0 ? [`${NUMBERS}|${padded(TOP - number)}`] : []),
    ];
  };

  return {
    async add(kind, record) {
      const partition = partitionOf(kind, record.name);
      const { version, createdAt } = record;
      await Promise.all(rowsOf(record).map((row) => insertOnce(table, { partition, row }, { version, createdAt })));
    },

    async remove(kind, record) {
      const partition = partitionOf(kind, record.name);
      await Promise.all(rowsOf(record).map((row) => removeIfThere(table, { partition, row })));
    },

    async list(kind, name, order, limit, continuation) {
      const page = await table.query(partitionOf(kind, name), {
        from: `${PREFIX[order]}|`,
        to: `${PREFIX[order]}${END}`,
        limit,
        ...(continuation !== undefined && { continuation }),
      });
      return {
        versions: page.rows.map(({ values }) => Hint.parse(values)),
        ...(page.continuation !== undefined && { continuation: page.continuation }),
      };
    },

    async highestNumber(kind, name) {
      const range = { from: `${NUMBERS}|`, to: `${NUMBERS}${END}`, limit: 1 };
      let page = await table.query(partitionOf(kind, name), range);
      while (page.rows.length === 0 && page.continuation !== undefined)
        page = await table.query(partitionOf(kind, name), { ...range, continuation: page.continuation });
      const [highest] = page.rows;
      return highest ? numberOf(Hint.parse(highest.values).version) : 0;
    },
  };
}
