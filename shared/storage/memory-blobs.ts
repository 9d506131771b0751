import { checkBlobName, checkBlock, checkMetadata, checkRange } from './blob-rules.ts';
import {
  type BlobItem,
  type BlobProperties,
  type BlobRef,
  type Blobs,
  StorageFault,
  type WriteOptions,
} from './ports.ts';

const CHUNK_BYTES = 64 * 1024;

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

/** Blobs in this process, for tests and benchmarks. Where Azurite differs from Azure, this follows Azure. */
export function memoryBlobs(): Blobs {
  const containers = new Map<string, Map<string, Entry>>();
  let version = 0;

  const find = ({ container, name }: BlobRef): Entry | undefined => containers.get(container)?.get(name);

  const entryFor = (operation: string, ref: BlobRef): Entry => {
    const container = containers.get(ref.container);
    if (!container) throw new StorageFault(`${operation} ${pathOf(ref)}`, 404, 'ContainerNotFound');
    const entry = container.get(ref.name) ?? { committed: undefined, uncommitted: new Map<string, Uint8Array>() };
    container.set(ref.name, entry);
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

    async *list(container, { prefix = '', delimiter, signal } = {}) {
      const names = [...(containers.get(container) ?? new Map<string, Entry>())]
        .filter(([name, entry]) => entry.committed && name.startsWith(prefix))
        .filter(([name]) => !delimiter || !name.slice(prefix.length).includes(delimiter))
        .sort(([a], [b]) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
      for (const [name, { committed }] of names) {
        signal?.throwIfAborted();
        if (committed) yield itemOf(name, committed);
      }
    },

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
      if (!containers.has(container)) containers.set(container, new Map());
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
