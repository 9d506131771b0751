import type { IncomingMessage } from 'node:http';

/** The real host's default limit (FUNCTIONS_REQUEST_BODY_SIZE_LIMIT). */
export const maxBodyBytes = 100 * 1024 * 1024;

export class BodyTooLarge extends Error {}

/** Reads a request's body whole. Throws BodyTooLarge beyond the limit. */
export async function readBody(request: IncomingMessage): Promise<Buffer> {
  if (Number(request.headers['content-length'] ?? 0) > maxBodyBytes) throw new BodyTooLarge();
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request) {
    const bytes: unknown = chunk;
    if (!Buffer.isBuffer(bytes)) throw new TypeError('The request was given an encoding.');
    size += bytes.length;
    if (size > maxBodyBytes) throw new BodyTooLarge();
    chunks.push(bytes);
  }
  return Buffer.concat(chunks);
}
