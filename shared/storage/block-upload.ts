import { randomUUID } from 'node:crypto';

const BLOCK_BYTES = 4 * 1024 * 1024;
const IN_FLIGHT = 2;

/**
 * Cuts a body into blocks of 4 MiB and stages two at a time, so that no more than three are ever held. Answers the block ids in
 * order, and the bytes. Ids are of one length and drawn anew for each call; 50,000 blocks (195 GiB) is storage's limit.
 */
export async function uploadBlocks(
  body: AsyncIterable<Uint8Array>,
  stage: (blockId: string, block: Uint8Array) => Promise<void>,
): Promise<{ blockIds: string[]; length: number }> {
  const upload = randomUUID();
  const blockIds: string[] = [];
  const inFlight = new Set<Promise<void>>();
  let failure: { readonly error: unknown } | undefined;
  let length = 0;

  const send = async (block: Uint8Array): Promise<void> => {
    const blockId = Buffer.from(`${upload}-${String(blockIds.length).padStart(6, '0')}`).toString('base64');
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
    for await (const block of blocksOf(body)) {
      length += block.length;
      await send(block);
    }
  } finally {
    await Promise.all(inFlight);
  }
  if (failure) throw failure.error;
  return { blockIds, length };
}

async function* blocksOf(body: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let block = Buffer.allocUnsafe(BLOCK_BYTES);
  let filled = 0;
  for await (const chunk of body) {
    for (let taken = 0; taken < chunk.length;) {
      const part = chunk.subarray(taken, taken + BLOCK_BYTES - filled);
      block.set(part, filled);
      filled += part.length;
      taken += part.length;
      if (filled === BLOCK_BYTES) {
        yield block;
        block = Buffer.allocUnsafe(BLOCK_BYTES);
        filled = 0;
      }
    }
  }
  if (filled > 0) yield block.subarray(0, filled);
}
