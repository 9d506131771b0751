import { blockId, sha256, type StagedBlock } from '../domain/blocks.ts';
import { freeBytes } from '../storage/free-bytes.ts';
import type { BlobRef, Blobs } from '../storage/ports.ts';

/** Uploads on their way at once; with `blockBytes` this bounds the memory of a slice's output. */
const MAX_IN_FLIGHT = 2;

/** Staging failed: not the mini-batch's fault, the whole slice is tried again. */
export class StagingFault extends Error {
  constructor(cause: unknown) {
    super(cause instanceof Error ? cause.message : String(cause), { cause });
    this.name = 'StagingFault';
  }
}

/** A place in what was written so far, to go back to. Closed by `keep` or `rollback`, the newest first. */
export interface Mark {
  blocks: number;
  chunks: number;
}

export interface BlockWriter {
  /** Takes over `bytes`: whole records only. Waits while too many uploads are on their way. Throws StagingFault. */
  append(bytes: Uint8Array, rows: number): Promise<void>;
  /** Ends the block that is being filled. Answers the last block so far, if there is one. Throws StagingFault. */
  cut(): Promise<string | undefined>;
  mark(): Mark;
  /** What was written since the mark stays. */
  keep(mark: Mark): void;
  /** What was written since the mark is forgotten; its blocks, if any were staged, are named by nobody. */
  rollback(mark: Mark): void;
  /** Stages what is pending and answers all blocks in order. Throws StagingFault. */
  finish(): Promise<readonly StagedBlock[]>;
}

interface Chunk {
  readonly bytes: Uint8Array;
  readonly rows: number;
}

/** The chunks' bytes one after another, in memory of their own; the chunks' own is free. */
function gathered(chunks: readonly Chunk[]): Uint8Array {
  const body = new Uint8Array(chunks.reduce((sum, { bytes }) => sum + bytes.length, 0));
  let at = 0;
  for (const { bytes } of chunks) {
    body.set(bytes, at);
    at += bytes.length;
    freeBytes(bytes);
  }
  return body;
}

/**
 * Collects records into blocks of about `blockBytes` and stages them while more are written, so that consecutive small
 * mini-batches share a block. A block is cut at every open mark, so that a rollback never tears one apart.
 */
export function blockWriter(
  target: { blobs: Blobs; ref: BlobRef; blockBytes: number },
  owner: { job: string; lane: number; attempt: string },
): BlockWriter {
  let pending: Chunk[] = [];
  let pendingBytes = 0;
  let blocks: StagedBlock[] = [];
  let sequence = 0;
  const marks: Mark[] = [];
  const inFlight = new Set<Promise<void>>();
  let failed: StagingFault | undefined;

  const stage = async (id: string, body: Uint8Array): Promise<void> => {
    try {
      await target.blobs.stageBlock(target.ref, id, body);
    } catch (error) {
      failed ??= new StagingFault(error);
    }
  };

  const cutSegment = (chunks: readonly Chunk[]): void => {
    if (chunks.length === 0) return;
    const body = gathered(chunks);
    const id = blockId(owner.job, owner.lane, owner.attempt, sequence++);
    blocks.push({
      id,
      bytes: body.length,
      rows: chunks.reduce((sum, chunk) => sum + chunk.rows, 0),
      sha256: sha256(body),
    });
    const upload = stage(id, body).finally(() => {
      inFlight.delete(upload);
      freeBytes(body);
    });
    inFlight.add(upload);
  };

  const cut = (): void => {
    let from = 0;
    for (const mark of marks) {
      if (mark.chunks === 0) continue;
      cutSegment(pending.slice(from, mark.chunks));
      from = mark.chunks;
      mark.blocks = blocks.length;
      mark.chunks = 0;
    }
    cutSegment(pending.slice(from));
    pending = [];
    pendingBytes = 0;
  };

  const closeMark = (mark: Mark): void => {
    if (marks.pop() !== mark) throw new Error('marks are closed newest first');
  };

  const settled = async (atMost: number): Promise<void> => {
    while (inFlight.size > atMost) await Promise.race(inFlight);
    if (failed) throw failed;
  };

  return {
    async append(bytes, rows) {
      if (failed) throw failed;
      if (bytes.length === 0) return;
      pending.push({ bytes, rows });
      pendingBytes += bytes.length;
      if (pendingBytes < target.blockBytes) return;
      cut();
      await settled(MAX_IN_FLIGHT - 1);
    },
    async cut() {
      cut();
      await settled(MAX_IN_FLIGHT - 1);
      return blocks.at(-1)?.id;
    },
    mark() {
      const mark: Mark = { blocks: blocks.length, chunks: pending.length };
      marks.push(mark);
      return mark;
    },
    keep: closeMark,
    rollback(mark) {
      closeMark(mark);
      if (blocks.length > mark.blocks) {
        blocks = blocks.slice(0, mark.blocks);
        pending = [];
      } else {
        pending = pending.slice(0, mark.chunks);
      }
      pendingBytes = pending.reduce((sum, chunk) => sum + chunk.bytes.length, 0);
    },
    async finish() {
      cut();
      await settled(0);
      return blocks;
    },
  };
}
