import { UndeliverableMessage } from './queue-listener.ts';

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/**
 * The text of a message as stored. Throws UndeliverableMessage when it is not base64: the SDK moves such a message to
 * the poison queue without a try. Bytes that are no UTF-8 are an ordinary failure, as there.
 */
export function decodeMessage(stored: string, encoding: 'base64' | 'none'): string {
  if (encoding === 'none') return stored;
  const compact = stored.replace(/[\t\n\r ]/g, '');
  if (compact.length % 4 !== 0 || !/^[A-Za-z0-9+/]*={0,2}$/.test(compact)) {
    throw new UndeliverableMessage('is not base64: check extensions.queues.messageEncoding of host.json');
  }
  try {
    return utf8.decode(Buffer.from(compact, 'base64'));
  } catch (error) {
    throw new Error('is no UTF-8 text', { cause: error });
  }
}

/** The text as it is stored. */
export function encodeMessage(content: string | Uint8Array, encoding: 'base64' | 'none'): string {
  const bytes = Buffer.from(content);
  return encoding === 'base64' ? bytes.toString('base64') : bytes.toString('utf8');
}
