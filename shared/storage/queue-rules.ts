const QUEUE = /^(?=.{3,63}$)[a-z0-9]+(-[a-z0-9]+)*$/;

/** Bytes of UTF-8: storage takes 64 KiB, and a message travels as base64. */
export const MAX_MESSAGE_BYTES = 48 * 1024;

const MAX_DELAY_SECONDS = 7 * 24 * 3600;

/** True for a name that storage gives to a queue. */
export const isQueueName = (name: string): boolean => QUEUE.test(name);

/** Throws on a queue name that storage refuses. */
export function checkQueue(name: string): void {
  if (!isQueueName(name)) throw new Error(`not a queue name: ${JSON.stringify(name)}`);
}

/** Throws on a message that storage refuses. An empty one is refused because no consumer could say what was asked. */
export function checkMessage(text: string, delaySeconds: number): void {
  const bytes = Buffer.byteLength(text);
  if (bytes === 0) throw new Error('an empty queue message says nothing');
  if (bytes > MAX_MESSAGE_BYTES) throw new Error(`a queue message of ${bytes} bytes; at most ${MAX_MESSAGE_BYTES}`);
  if (!Number.isSafeInteger(delaySeconds) || delaySeconds < 0 || delaySeconds > MAX_DELAY_SECONDS)
    throw new RangeError(`a delay is 0 to ${MAX_DELAY_SECONDS} whole seconds: ${delaySeconds}`);
}
