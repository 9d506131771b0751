import { randomUUID } from 'node:crypto';

const BLOCK_BYTES = 4 * 1024 * 1024;
const IN_FLIGHT = 2;

export interface BlockCut {
  /** Bytes of a block; 50,000 blocks is storage's limit. */
  readonly blockBytes: number;
  /** The id of the block of this number, from 0. */
  readonly idOf: (sequence: number) => string;
}

/** Blocks of 4 MiB, whose ids are of one length and drawn anew for each upload; they reach to 195 GiB. */
function anonymousBlocks(): BlockCut {
  const upload = randomUUID();
  return {
    blockBytes: BLOCK_BYTES,
    idOf: (sequence) => Buffer.from(`${upload}-${String(sequence).padStart(6, '0')}`).toString('base64'),
  };
}

/**
 * Cuts a body into blocks and stages two at a time, so that no more than three are ever held. Answers the block ids in order, and
 * the bytes.
 */
export async function uploadBlocks(
  body: AsyncIterable<Uint8Array>,
  stage: (blockId: string, block: Uint8Array) => Promise<void>,
  { blockBytes, idOf }: BlockCut = anonymousBlocks(),
): Promise<{ blockIds: string[]; length: number }> {
  const blockIds: string[] = [];
  const inFlight = new Set<Promise<void>>();
  let failure: { readonly error: unknown } | undefined;
  let length = 0;

  const send = async (block: Uint8Array): Promise<void> => {
    const blockId = idOf(blockIds.length);
    blockIds.push(blockId);
    const staged = stage(blockId, block)
      // Kept for the loop below: a rejection that nobody awaits yet would end the process.
      .catch((error: unknown) => void (failure ??= { error }))
      .finally(() => inFlight.delete(staged));
    inFlight.add(staged);
    if (inFlight.size >= IN_FLIGHT) await Promise.race(inFlight);
    if (failure) throw failure.error;
  };

  try {
    for await (const block of blocksOf(body, blockBytes)) {
      length += block.length;
      await send(block);
    }
  } finally {
    await Promise.all(inFlight);
  }
  if (failure) throw failure.error;
  return { blockIds, length };
}

async function* blocksOf(body: AsyncIterable<Uint8Array>, blockBytes: number): AsyncGenerator<Uint8Array> {
  let block = Buffer.allocUnsafe(blockBytes);
  let filled = 0;
  for await (const chunk of body) {
    for (let taken = 0; taken < chunk.length;) {
      const part = chunk.subarray(taken, taken + blockBytes - filled);
      block.set(part, filled);
      filled += part.length;
      taken += part.length;
      if (filled === blockBytes) {
        yield block;
        block = Buffer.allocUnsafe(blockBytes);
        filled = 0;
      }
    }
  }
  if (filled > 0) yield block.subarray(0, filled);
}
