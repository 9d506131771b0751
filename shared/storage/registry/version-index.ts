import { z } from 'zod';
import { sha256 } from '../../domain/blocks.ts';
import type { AssetKindName, AssetRecord } from '../../domain/resources.ts';
import { insertOnce } from '../insert-once.ts';
import type { Table } from '../ports.ts';
import { removeIfThere } from '../remove-if-there.ts';

export const VERSION_ORDERS = ['newest', 'oldest'] as const;
export type VersionOrder = (typeof VERSION_ORDERS)[number];

type Indexed = Pick<AssetRecord, 'name' | 'version' | 'createdAt'>;

export interface PageOfVersions {
  readonly versions: readonly Indexed[];
  readonly continuation?: string;
}

/**
 * The versions of an asset by the time of their making and by number. A row is a hint that the version's own record confirms
 * (same `createdAt`): it is written before the record and removed after it, so a version is never without its rows.
 */
export interface VersionIndex {
  /** `under`: its own name, or what else it is to be found by. */
  add(kind: AssetKindName, record: Indexed, under: string): Promise<void>;
  remove(kind: AssetKindName, record: Indexed, under: string): Promise<void>;
  list(
    kind: AssetKindName,
    under: string,
    order: VersionOrder,
    limit: number,
    continuation?: string,
  ): Promise<PageOfVersions>;
  /** The highest version that is a number; 0 when there is none. */
  highestNumber(kind: AssetKindName, under: string): Promise<number>;
}

/** Above all times and all numbers that are counted, so that what counts down has one width. */
const TOP = 9e15;
const padded = (number: number): string => String(number).padStart(16, '0');
const numberOf = (version: string): number => (/^\d{1,15}$/.test(version) ? Number(version) : 0);

const PREFIX: Readonly<Record<VersionOrder, string>> = { newest: 'd', oldest: 'a' };
const NUMBERS = 'n';
/** The character after `|`, the end of every prefix: the end of a range. */
const END = '}';

const Hint = z.object({ name: z.string(), version: z.string(), createdAt: z.string() });

export function versionIndex(table: Table): VersionIndex {
  const partitionOf = (kind: AssetKindName, under: string): string => `index|${kind}|${under.toLowerCase()}`;

  /** Among versions of one moment the higher number is the later one. */
  const rowsOf = ({ name, version, createdAt }: Indexed): string[] => {
    const at = Date.parse(createdAt);
    const number = numberOf(version);
    const key = sha256(`${name}:${version}`.toLowerCase());
    return [
      `${PREFIX.newest}|${padded(TOP - at)}|${padded(TOP - number)}|${key}`,
      `${PREFIX.oldest}|${padded(at)}|${padded(number)}|${key}`,
      ...(number > 0 ? [`${NUMBERS}|${padded(TOP - number)}`] : []),
    ];
  };

  return {
    async add(kind, record, under) {
      const partition = partitionOf(kind, under);
      const { name, version, createdAt } = record;
      await Promise.all(
        rowsOf(record).map((row) => insertOnce(table, { partition, row }, { name, version, createdAt })),
      );
    },

    async remove(kind, record, under) {
      const partition = partitionOf(kind, under);
      await Promise.all(rowsOf(record).map((row) => removeIfThere(table, { partition, row })));
    },

    async list(kind, under, order, limit, continuation) {
      const page = await table.query(partitionOf(kind, under), {
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

    async highestNumber(kind, under) {
      const range = { from: `${NUMBERS}|`, to: `${NUMBERS}${END}`, limit: 1 };
      let page = await table.query(partitionOf(kind, under), range);
      while (page.rows.length === 0 && page.continuation !== undefined)
        page = await table.query(partitionOf(kind, under), { ...range, continuation: page.continuation });
      const [highest] = page.rows;
      return highest ? numberOf(Hint.parse(highest.values).version) : 0;
    },
  };
}
