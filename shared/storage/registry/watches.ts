import { z } from 'zod';
import { folderKey, WatchedFolder } from '../../domain/watch.ts';
import { allRows } from '../all-rows.ts';
import { insertOnce } from '../insert-once.ts';
import { type Table, type TableKey } from '../ports.ts';
import { removeIfThere } from '../remove-if-there.ts';

/**
 * Which deployments may watch a container: one partition per container, so that an event is routed by one query. A row is a
 * hint that the deployment's own document confirms: it is written before the document and removed after it, so a watch is
 * never without its row, and a row without its watch does no harm.
 */
export interface Watches {
  /** `container`: see `containerKey`. A row that is there stays. */
  add(container: string, folder: WatchedFolder): Promise<void>;
  remove(container: string, folder: WatchedFolder): Promise<void>;
  /** Folders of this container that one of the paths lies below. */
  candidates(container: string, ...paths: readonly string[]): Promise<WatchedFolder[]>;
}

const Hint = z.object({
  folder: z
    .string()
    .transform((text): unknown => JSON.parse(text))
    .pipe(WatchedFolder),
});

export function watchIndex(table: Table): Watches {
  const partitionOf = (container: string): string => `watches|${container}`;
  const key = (container: string, folder: WatchedFolder): TableKey => ({
    partition: partitionOf(container),
    row: folderKey(folder),
  });
  return {
    async add(container, { endpoint, deployment, datastore, prefix }) {
      const folder: WatchedFolder = { endpoint, deployment, datastore, prefix };
      await insertOnce(table, key(container, folder), { folder: JSON.stringify(folder) });
    },
    async remove(container, folder) {
      await removeIfThere(table, key(container, folder));
    },
    async candidates(container, ...paths) {
      const found: WatchedFolder[] = [];
      for await (const row of allRows(table, partitionOf(container))) {
        const { folder } = Hint.parse(row.values);
        if (paths.some((path) => path.startsWith(folder.prefix))) found.push(folder);
      }
      return found;
    },
  };
}
