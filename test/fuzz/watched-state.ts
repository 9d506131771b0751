import type { BlobRef, Blobs, Table, TableKey } from '../../shared/storage/ports.ts';

/** All rows and blobs that were written through it, so that what a request changed can be told. */
export interface WatchedState {
  readonly table: Table;
  /** The same state over another account of blobs. */
  blobs(account: string, blobs: Blobs): Blobs;
  /** Keys of the rows and blobs that are other than when it was asked last. */
  changed(): string[];
}

export function watchedState(table: Table): WatchedState {
  /** What there was when it was asked last, of the keys that were written since; undefined for what was not there. */
  const before = new Map<string, string | undefined>();
  const now = new Map<string, string>();

  const note = (key: string, value: string | undefined): void => {
    if (!before.has(key)) before.set(key, now.get(key));
    if (value === undefined) now.delete(key);
    else now.set(key, value);
  };
  const rowKey = ({ partition, row }: TableKey): string => `row ${partition} ${row}`;

  return {
    table: {
      ...table,
      async insert(key, values) {
        const written = await table.insert(key, values);
        note(rowKey(key), JSON.stringify(values));
        return written;
      },
      async replace(key, values, etag) {
        const written = await table.replace(key, values, etag);
        note(rowKey(key), JSON.stringify(values));
        return written;
      },
      async remove(key, etag) {
        await table.remove(key, etag);
        note(rowKey(key), undefined);
      },
    },

    blobs(account, blobs) {
      const noteBlob = async (ref: BlobRef): Promise<void> => {
        const found = await blobs.head(ref);
        note(`blob ${account}/${ref.container}/${ref.name}`, found?.etag);
      };
      const after = async <T>(ref: BlobRef, write: Promise<T>): Promise<T> => {
        const written = await write;
        await noteBlob(ref);
        return written;
      };
      return {
        ...blobs,
        write: (ref, ...rest) => after(ref, blobs.write(ref, ...rest)),
        writeStream: (ref, ...rest) => after(ref, blobs.writeStream(ref, ...rest)),
        commitBlocks: (ref, ...rest) => after(ref, blobs.commitBlocks(ref, ...rest)),
        remove: (ref, ...rest) => after(ref, blobs.remove(ref, ...rest)),
        async stageBlock(ref, id, body, options) {
          await blobs.stageBlock(ref, id, body, options);
          note(`block ${account}/${ref.container}/${ref.name} ${id}`, 'staged');
        },
      };
    },

    changed() {
      const keys = [...before].filter(([key, value]) => now.get(key) !== value).map(([key]) => key);
      before.clear();
      return keys;
    },
  };
}
