import type { IncomingMessage } from 'node:http';
import { Transform } from 'node:stream';

/** The real host's default, in bytes. */
const defaultLimit = 100 * 1024 * 1024;

const settingName = 'FUNCTIONS_REQUEST_BODY_SIZE_LIMIT';

export class BodyTooLarge extends Error {}

/** How many bytes a request's body may have. Throws on a setting that is no whole number. */
export function bodyLimit(env: NodeJS.ProcessEnv): number {
  const text = env[settingName];
  if (text === undefined || text === '') return defaultLimit;
  if (!/^\d{1,15}$/.test(text)) throw new Error(`${settingName} must be a number of bytes, not '${text}'.`);
  return Number(text);
}

/** Throws BodyTooLarge when the announced length is beyond the limit. */
export function assertAnnouncedLength(request: IncomingMessage, limit: number): void {
  if (Number(request.headers['content-length'] ?? 0) > limit) throw new BodyTooLarge();
}

/** Reads a request's body whole. Throws BodyTooLarge beyond the limit. */
export async function readBody(request: IncomingMessage, limit: number): Promise<Buffer> {
  assertAnnouncedLength(request, limit);
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request) {
    const bytes: unknown = chunk;
    if (!Buffer.isBuffer(bytes)) throw new TypeError('The request was given an encoding.');
    size += bytes.length;
    if (size > limit) throw new BodyTooLarge();
    chunks.push(bytes);
  }
  return Buffer.concat(chunks);
}

/** Passes bytes on and fails with BodyTooLarge beyond the limit. */
export function limitedBody(limit: number): Transform {
  let size = 0;
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      size += chunk.length;
      if (size > limit) done(new BodyTooLarge());
      else done(null, chunk);
    },
  });
}
