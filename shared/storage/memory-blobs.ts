import { checkBlobName, checkBlock, checkMetadata, checkRange } from './blob-rules.ts';
import { everyPage } from './every-page.ts';
import {
  type BlobItem,
  type BlobProperties,
  type BlobRef,
  type Blobs,
  StorageFault,
  type WriteOptions,
} from './ports.ts';
import { type SortedNames, sortedNames } from './sorted-names.ts';

const CHUNK_BYTES = 64 * 1024;

/** Names in one page of a listing, as Azure's. */
const PAGE = 5000;

interface Committed {
  readonly bytes: Uint8Array;
  readonly properties: BlobProperties;
  /** The blocks it is made of, as parts of `bytes`: its replacement may name them again. */
  readonly blocks: ReadonlyMap<string, Uint8Array>;
}

type Content = Pick<Committed, 'bytes' | 'blocks'>;

const unblocked = (bytes: Uint8Array): Content => ({ bytes, blocks: new Map() });

/** A name in a container: it exists for readers only once something is committed. */
interface Entry {
  committed: Committed | undefined;
  readonly uncommitted: Map<string, Uint8Array>;
}

interface Container {
  readonly entries: Map<string, Entry>;
  readonly names: SortedNames;
}

/** Blobs in this process, for tests and benchmarks. Where Azurite differs from Azure, this follows Azure. */
export function memoryBlobs(): Blobs {
  const containers = new Map<string, Container>();
  let version = 0;

  const find = ({ container, name }: BlobRef): Entry | undefined => containers.get(container)?.entries.get(name);

  const entryFor = (operation: string, ref: BlobRef): Entry => {
    const container = containers.get(ref.container);
    if (!container) throw new StorageFault(`${operation} ${pathOf(ref)}`, 404, 'ContainerNotFound');
    const known = container.entries.get(ref.name);
    if (known) return known;
    const entry: Entry = { committed: undefined, uncommitted: new Map() };
    container.entries.set(ref.name, entry);
    container.names.add(ref.name);
    return entry;
  };

  const put = (operation: string, ref: BlobRef, content: () => Content, options: WriteOptions): { etag: string } => {
    const entry = entryFor(operation, ref);
    const { ifMatch, ifNoneMatch, metadata = {} } = options;
    if (ifNoneMatch && entry.committed) throw new StorageFault(`${operation} ${pathOf(ref)}`, 409, 'BlobAlreadyExists');
    if (ifMatch !== undefined && entry.committed?.properties.etag !== ifMatch) {
      throw new StorageFault(`${operation} ${pathOf(ref)}`, 412, 'ConditionNotMet');
    }
    const { bytes, blocks } = content();
    version += 1;
    const etag = `"0x${version.toString(16).toUpperCase().padStart(15, '0')}"`;
    entry.committed = { bytes, blocks, properties: { etag, length: bytes.length, metadata: { ...metadata } } };
    entry.uncommitted.clear();
    return { etag };
  };

  const listPage: Blobs['listPage'] = async (name, { prefix = '', delimiter, pageSize = PAGE, signal, page } = {}) => {
    signal?.throwIfAborted();
    const items: BlobItem[] = [];
    const container = containers.get(name);
    if (!container) return { items };
    for (const blob of container.names.from(page ?? prefix)) {
      if (!blob.startsWith(prefix)) break;
      const committed = container.entries.get(blob)?.committed;
      if (!committed || (delimiter && blob.slice(prefix.length).includes(delimiter))) continue;
      if (items.length === pageSize) return { items, next: blob };
      items.push(itemOf(blob, committed));
    }
    return { items };
  };

  return {
    async head(ref) {
      checkBlobName(ref);
      const properties = find(ref)?.committed?.properties;
      return properties && { ...properties, metadata: { ...properties.metadata } };
    },

    async read(ref, options = {}) {
      checkBlobName(ref);
      checkRange(options);
      const { ifMatch, offset = 0, count, signal } = options;
      signal?.throwIfAborted();
      const committed = find(ref)?.committed;
      if (!committed) return undefined;
      const { bytes, properties } = committed;
      if (ifMatch !== undefined && ifMatch !== properties.etag) {
        throw new StorageFault(`read ${pathOf(ref)}`, 412, 'ConditionNotMet');
      }
      const isRange = offset > 0 || count !== undefined;
      if (isRange && offset >= bytes.length) throw new StorageFault(`read ${pathOf(ref)}`, 416, 'InvalidRange');
      const end = count === undefined ? bytes.length : Math.min(offset + count, bytes.length);
      return { ...properties, metadata: { ...properties.metadata }, body: chunksOf(bytes, offset, end, signal) };
    },

    async write(ref, body, options = {}) {
      checkWrite(ref, options);
      return put('write', ref, () => unblocked(body.slice()), options);
    },

    async writeStream(ref, body, options = {}) {
      checkWrite(ref, options);
      const chunks: Uint8Array[] = [];
      for await (const chunk of body) {
        options.signal?.throwIfAborted();
        chunks.push(chunk.slice());
      }
      options.signal?.throwIfAborted();
      const content = new Uint8Array(Buffer.concat(chunks));
      return { ...put('write', ref, () => unblocked(content), options), length: content.length };
    },

    list: (container, options) => everyPage(listPage, container, options),

    listPage,

    async stageBlock(ref, blockId, body, options = {}) {
      checkBlobName(ref);
      checkBlock(ref, body);
      options.signal?.throwIfAborted();
      const { uncommitted } = entryFor('stage', ref);
      const [other] = uncommitted.keys();
      if (other !== undefined && Buffer.from(other, 'base64').length !== Buffer.from(blockId, 'base64').length) {
        throw new StorageFault(`stage ${pathOf(ref)}`, 400, 'InvalidBlobOrBlock');
      }
      uncommitted.set(blockId, body.slice());
    },

    async commitBlocks(ref, blockIds, { replaces, ...options } = {}) {
      checkWrite(ref, options);
      const { uncommitted, committed } = entryFor('commit', ref);
      const join = (): Content => {
        const parts = blockIds.map((blockId) => uncommitted.get(blockId) ?? committed?.blocks.get(blockId));
        if (!parts.every((part) => part !== undefined)) {
          throw new StorageFault(`commit ${pathOf(ref)}`, 400, 'InvalidBlockList');
        }
        const bytes = new Uint8Array(Buffer.concat(parts));
        let end = 0;
        const views = parts.map((part) => bytes.subarray(end, (end += part.length)));
        return { bytes, blocks: new Map(blockIds.map((blockId, index) => [blockId, views[index] ?? bytes])) };
      };
      return put('commit', ref, join, {
        ...options,
        ...(replaces === undefined ? { ifNoneMatch: '*' } : { ifMatch: replaces }),
      });
    },

    async remove(ref, { ifMatch } = {}) {
      checkBlobName(ref);
      const entry = find(ref);
      if (!entry?.committed) return false;
      if (ifMatch !== undefined && entry.committed.properties.etag !== ifMatch)
        throw new StorageFault(`remove ${ref.container}/${ref.name}`, 412, 'ConditionNotMet');
      entry.committed = undefined;
      return true;
    },

    async ensureContainer(container) {
      if (!containers.has(container)) containers.set(container, { entries: new Map(), names: sortedNames() });
    },
  };
}

const pathOf = ({ container, name }: BlobRef): string => `${container}/${name}`;

function checkWrite(ref: BlobRef, options: WriteOptions): void {
  checkBlobName(ref);
  checkMetadata(options.metadata);
  options.signal?.throwIfAborted();
}

function itemOf(name: string, { properties }: Committed): BlobItem {
  return { name, ...properties, metadata: { ...properties.metadata }, accessTier: 'Hot', blobType: 'BlockBlob' };
}

async function* chunksOf(bytes: Uint8Array, from: number, end: number, signal?: AbortSignal) {
  for (let at = from; at < end; at += CHUNK_BYTES) {
    signal?.throwIfAborted();
    yield bytes.slice(at, Math.min(at + CHUNK_BYTES, end));
  }
  signal?.throwIfAborted();
}
