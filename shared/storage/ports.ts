/**
 * What the rest of the house may ask of storage. Every adapter passes the same contract suite (test/contract).
 * Only "not there" is an answer; every other fault is a `StorageFault`.
 */

/** A blob's whole address inside one adapter (one adapter serves one account). */
export interface BlobRef {
  readonly container: string;
  readonly name: string;
}

export interface BlobProperties {
  readonly etag: string;
  /** Bytes. */
  readonly length: number;
  readonly metadata: Readonly<Record<string, string>>;
  readonly contentEncoding?: string;
}

export interface BlobItem extends BlobProperties {
  readonly name: string;
  /** `Archive` means that it cannot be read. */
  readonly accessTier?: string;
  readonly blobType: 'BlockBlob' | 'PageBlob' | 'AppendBlob';
}

export interface ReadOptions {
  /** The read fails with 412 `ConditionNotMet` if the blob is another by now (removed: undefined on Azure, 412 on Azurite). */
  readonly ifMatch?: string;
  /** Bytes [offset, offset + count); to the end without count. */
  readonly offset?: number;
  readonly count?: number;
  readonly signal?: AbortSignal;
}

/** `length` is that of the whole blob, also when a range is read. */
export interface BlobRead extends BlobProperties {
  /**
   * Reads as it is consumed, once; the connection stays open until the body ends, is left early, or the signal aborts, so a body
   * that nobody wants must be aborted. An abort throws the signal's reason. A broken line is taken up again on the same ETag;
   * StorageFault when that fails.
   */
  readonly body: AsyncIterable<Uint8Array>;
}

export interface WriteOptions {
  /** `'*'`: only if absent (409 `BlobAlreadyExists` otherwise). */
  readonly ifNoneMatch?: '*';
  readonly ifMatch?: string;
  readonly contentType?: string;
  readonly metadata?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
}

export interface CommitOptions {
  readonly contentType?: string;
  readonly metadata?: Readonly<Record<string, string>>;
  /** ETag of the blob that this commit may take the place of. */
  readonly replaces?: string;
}

export interface ListOptions {
  readonly prefix?: string;
  /** With `'/'` only names directly under the prefix. Without: everything below. */
  readonly delimiter?: '/';
  /** Names per request; small in tests so that paging is seen. */
  readonly pageSize?: number;
  readonly signal?: AbortSignal;
}

/** A part of a listing. */
export interface BlobPage {
  /** May be none, also when there is a next page. */
  readonly items: readonly BlobItem[];
  /** Where the listing goes on, in storage's own words; absent at its end. Good for any process, at any time. */
  readonly next?: string;
}

/** The blobs of one account. */
export interface Blobs {
  /** Undefined when blob or container is absent. */
  head(ref: BlobRef): Promise<BlobProperties | undefined>;
  /** Undefined when blob or container is absent. */
  read(ref: BlobRef, options?: ReadOptions): Promise<BlobRead | undefined>;
  /**
   * A conditional write is sent once (again only when storage says that it is busy): a 409 or 412 always speaks of somebody else,
   * a lost answer is a StorageFault of status 0. The same holds for `writeStream`.
   */
  write(ref: BlobRef, body: Uint8Array, options?: WriteOptions): Promise<{ etag: string }>;
  /** Streams a body of unknown length into a blob; nothing is visible until it is whole. */
  writeStream(
    ref: BlobRef,
    body: AsyncIterable<Uint8Array>,
    options?: WriteOptions,
  ): Promise<{ etag: string; length: number }>;
  /** In name order (bytes). An absent container lists nothing. Uncommitted blobs never show. */
  list(container: string, options?: ListOptions): AsyncIterable<BlobItem>;
  /** One page of the same, by default the first; `page` is the `next` of another under the same options. */
  listPage(container: string, options?: ListOptions & { readonly page?: string }): Promise<BlobPage>;
  /** `blockId` is base64, one length for all blocks of a blob. Uncommitted blocks belong to the blob, not to a writer. Never empty. */
  stageBlock(ref: BlobRef, blockId: string, body: Uint8Array, options?: { signal?: AbortSignal }): Promise<void>;
  /**
   * Makes the blob of exactly these blocks in this order, in ONE request: no adapter retries it, because a retry cannot tell
   * whose commit won. Only if absent (409 `BlobAlreadyExists`), or, with `replaces`, only over the blob of that ETag (412).
   * 400 `InvalidBlockList` when a block is not staged. No blocks make an empty blob.
   */
  commitBlocks(ref: BlobRef, blockIds: readonly string[], options?: CommitOptions): Promise<{ etag: string }>;
  /** False when it was absent. With `ifMatch` StorageFault 412 when it is another by now. */
  remove(ref: BlobRef, options?: { ifMatch?: string }): Promise<boolean>;
  ensureContainer(container: string): Promise<void>;
}

export interface TableKey {
  readonly partition: string;
  readonly row: string;
}

/** Small values only; large parts belong in a JSON blob. */
export type TableValues = Readonly<Record<string, string | number | boolean>>;

export interface TableRow extends TableKey {
  readonly etag: string;
  readonly values: TableValues;
}

export interface QueryOptions {
  /** Row keys in [from, to). */
  readonly from?: string;
  readonly to?: string;
  /** Rows of one answer; a page may be shorter, even empty, and still have a continuation. */
  readonly limit?: number;
  readonly continuation?: string;
}

export interface TablePage {
  readonly rows: readonly TableRow[];
  readonly continuation?: string;
}

/**
 * One table. There is no update and no delete without an ETag: a lost update is not to be had. Every write is sent once (again
 * only when storage says that it is busy): a 409 or 412 always speaks of somebody else, a lost answer is a StorageFault of status
 * 0. Keys and values that storage cannot hold (see table-rules.ts) are programming faults and throw a plain Error.
 */
export interface Table {
  get(key: TableKey): Promise<TableRow | undefined>;
  /** StorageFault 409 `EntityAlreadyExists` when there. */
  insert(key: TableKey, values: TableValues): Promise<{ etag: string }>;
  /** Replaces all values. StorageFault 412 `UpdateConditionNotSatisfied` when it changed since, 404 when gone. */
  replace(key: TableKey, values: TableValues, etag: string): Promise<{ etag: string }>;
  /** StorageFault 412 when it changed since, 404 when gone. */
  remove(key: TableKey, etag: string): Promise<void>;
  /** Rows of one partition in row key order. */
  query(partition: string, options?: QueryOptions): Promise<TablePage>;
}

/** One queue, as the app writes to it: its messages are received by the Functions host. It is created when it is first used. */
export interface Queue {
  /**
   * Adds a message that never expires and shows up after `delaySeconds` (at once by default, 7 days at most). After a fault it
   * may be there all the same, and a lost answer may put it there twice. A text that storage cannot hold, or a delay that it
   * cannot keep (see queue-rules.ts), is a programming fault and throws a plain Error.
   */
  send(text: string, delaySeconds?: number): Promise<void>;
}

/** What every adapter throws. Status 0: storage did not answer, and `code` says why (`ECONNRESET`, `ETIMEDOUT`). Carries what support asks for first. Never a URL with a query, never a secret. */
export class StorageFault extends Error {
  readonly status: number;
  readonly code: string;
  readonly requestId: string | undefined;
  /** How long storage asked to be left alone. */
  readonly retryAfterMs: number | undefined;
  constructor(
    operation: string,
    status: number,
    code: string,
    requestId?: string,
    { retryAfterMs, ...options }: ErrorOptions & { readonly retryAfterMs?: number | undefined } = {},
  ) {
    const answer = status === 0 ? `no answer from storage (${code})` : `storage answered ${status} ${code}`;
    super(`${operation}: ${answer}${requestId ? ` (request ${requestId})` : ''}`, options);
    this.name = 'StorageFault';
    this.status = status;
    this.code = code;
    this.requestId = requestId;
    this.retryAfterMs = retryAfterMs;
  }
}

/** True when storage refused a conditional write because somebody else was first. */
export const isConflict = (error: unknown): error is StorageFault =>
  error instanceof StorageFault && (error.status === 409 || error.status === 412);
