import { StorageFault, type Table, type TableKey, type TableRow, type TableValues } from './ports.ts';
import { checkEtag, checkKey, checkQuery, checkTable, checkValues } from './table-rules.ts';

/** Tables in this process, for tests and benchmarks: the same name is the same table. */
export function memoryTables(): (name: string) => Table {
  const tables = new Map<string, Table>();
  return (name) => {
    checkTable(name);
    const table = tables.get(name.toLowerCase()) ?? memoryTable(name);
    tables.set(name.toLowerCase(), table);
    return table;
  };
}

function memoryTable(name: string): Table {
  const partitions = new Map<string, Map<string, TableRow>>();
  let version = 0;

  const put = ({ partition, row }: TableKey, values: TableValues): { etag: string } => {
    version += 1;
    const etag = `W/"${version}"`;
    const rows = partitions.get(partition) ?? new Map<string, TableRow>();
    partitions.set(partition, rows.set(row, { partition, row, etag, values: { ...values } }));
    return { etag };
  };

  const rowToChange = (operation: string, { partition, row }: TableKey, etag: string): void => {
    checkEtag(etag);
    const found = partitions.get(partition)?.get(row);
    if (!found) throw new StorageFault(`${operation} ${name}`, 404, 'ResourceNotFound');
    if (found.etag !== etag) throw new StorageFault(`${operation} ${name}`, 412, 'UpdateConditionNotSatisfied');
  };

  return {
    async get(key) {
      checkKey(key);
      const found = partitions.get(key.partition)?.get(key.row);
      return found && copyOf(found);
    },

    async insert(key, values) {
      checkKey(key);
      checkValues(values);
      if (partitions.get(key.partition)?.has(key.row)) {
        throw new StorageFault(`insert ${name}`, 409, 'EntityAlreadyExists');
      }
      return put(key, values);
    },

    async replace(key, values, etag) {
      checkKey(key);
      checkValues(values);
      rowToChange('replace', key, etag);
      return put(key, values);
    },

    async remove(key, etag) {
      checkKey(key);
      rowToChange('remove', key, etag);
      partitions.get(key.partition)?.delete(key.row);
    },

    async query(partition, options = {}) {
      const limit = checkQuery(partition, options);
      const { from = '', to, continuation } = options;
      const start = continuation === undefined ? from : Buffer.from(continuation, 'base64url').toString();
      const found = [...(partitions.get(partition)?.values() ?? [])]
        .filter(({ row }) => row >= start && (to === undefined || row < to))
        .sort((a, b) => (a.row < b.row ? -1 : 1));
      const next = found[limit];
      return {
        rows: found.slice(0, limit).map(copyOf),
        ...(next && { continuation: Buffer.from(next.row).toString('base64url') }),
      };
    },
  };
}

const copyOf = (row: TableRow): TableRow => ({ ...row, values: { ...row.values } });
