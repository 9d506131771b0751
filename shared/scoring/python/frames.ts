/** Kept equal to MAX_FRAME_BYTES in driver/batchpoint_driver/channel.py. */
const MAX_FRAME_BYTES = 64 * 1024 * 1024;

const HEAD_BYTES = 5;
const JSON_KIND = 'J'.charCodeAt(0);
const ROWS_KIND = 'R'.charCodeAt(0);

/** What a worker says: a message, or rows as bytes of their own. */
export type Frame =
  | { readonly kind: 'message'; readonly content: unknown }
  | { readonly kind: 'rows'; readonly rows: number; readonly bytes: Uint8Array };

/** A message as a frame: length of the payload in 4 bytes (big-endian), kind in 1, payload. */
export function encodeMessage(content: object): Buffer {
  const payload = Buffer.from(JSON.stringify(content));
  const head = Buffer.alloc(HEAD_BYTES);
  head.writeUInt32BE(payload.length);
  head[4] = JSON_KIND;
  return Buffer.concat([head, payload]);
}

/** The frames of a stream, until it ends. Throws an Error for what is not a frame. */
export async function* framesOf(source: AsyncIterable<Buffer>): AsyncGenerator<Frame, void> {
  const head = Buffer.alloc(HEAD_BYTES);
  let headFilled = 0;
  let payload: Buffer | undefined;
  let filled = 0;
  for await (const chunk of source) {
    for (let at = 0; at < chunk.length;) {
      if (payload === undefined) {
        const count = chunk.copy(head, headFilled, at);
        headFilled += count;
        at += count;
        if (headFilled < HEAD_BYTES) continue;
        const length = head.readUInt32BE();
        if (length === 0 || length > MAX_FRAME_BYTES) throw new Error(`a frame of ${length} bytes`);
        // Its own memory: whoever gets rows may hand them to another thread.
        payload = Buffer.allocUnsafeSlow(length);
        filled = 0;
      }
      const count = chunk.copy(payload, filled, at);
      filled += count;
      at += count;
      if (filled < payload.length) continue;
      yield frame(head[4], payload);
      payload = undefined;
      headFilled = 0;
    }
  }
}

function frame(kind: number | undefined, payload: Buffer): Frame {
  if (kind === JSON_KIND) return { kind: 'message', content: JSON.parse(payload.toString('utf8')) };
  if (kind === ROWS_KIND && payload.length >= 4) {
    return { kind: 'rows', rows: payload.readUInt32BE(), bytes: payload.subarray(4) };
  }
  throw new Error(`a frame of kind ${kind}`);
}
