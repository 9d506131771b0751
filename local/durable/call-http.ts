import { z } from 'zod';
import type { ActivityAnswer } from './runner.ts';

/** The activity as which the real host runs callHttp (EXT HttpOptions). */
export const httpActivity = 'BuiltIn::HttpActivity';
/** The pause between two polls when the answer names none (EXT HttpOptions). */
export const defaultPollingMs = 30_000;
/** .NET's HttpClient gives up after this time. */
const timeoutMs = 100_000;

/** A value of its own, or several. */
const headers = z.record(z.string(), z.union([z.string(), z.array(z.string())]));

export const httpRequest = z.object({
  method: z.string(),
  uri: z.string(),
  content: z.string().nullish(),
  headers: headers.nullish(),
  tokenSource: z.unknown().optional(),
  asynchronousPatternEnabled: z.boolean().optional(),
});
export type HttpRequest = z.infer<typeof httpRequest>;

export const httpAnswer = z.object({ statusCode: z.number().int(), headers, content: z.string() });
export type HttpAnswer = z.infer<typeof httpAnswer>;

/** Header fields that .NET keeps with the content, which the extension leaves out of the answer. */
const contentHeader = /^(content-.*|allow|expires|last-modified)$/i;

/**
 * Sends the request of a callHttp (JSON text) and answers `{statusCode, headers, content}` as JSON text, whatever the
 * status (EXT TaskHttpActivityShim). No connection and no answer in 100 s are failures of the activity.
 */
export async function runHttpActivity(input: string | undefined): Promise<ActivityAnswer> {
  try {
    const request = httpRequest.parse(JSON.parse(input ?? 'null'));
    const content = request.content ?? undefined;
    const response = await fetch(request.uri, {
      method: request.method,
      headers: headersOf(request),
      signal: AbortSignal.timeout(timeoutMs),
      ...(content === undefined ? {} : { body: content }),
    });
    const answer: HttpAnswer = {
      statusCode: response.status,
      headers: answered(response.headers),
      content: await response.text(),
    };
    return { ok: true, result: JSON.stringify(answer) };
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    const cause = error.cause instanceof Error ? `: ${error.cause.message}` : '';
    return { ok: false, message: `${error.message}${cause}`, stack: error.stack ?? '' };
  }
}

function headersOf({ headers: named, content }: HttpRequest): Headers {
  const sent = new Headers();
  for (const [name, value] of Object.entries(named ?? {})) {
    for (const each of [value].flat()) {
      if (name.toLowerCase() === 'content-type' && each.includes('multipart')) {
        throw new Error('Multipart content is not supported with CallHttpAsync.');
      }
      sent.append(name, each);
    }
  }
  const hasContent = content !== undefined && content !== null;
  // A type without content is dropped, and text is what content is taken for.
  if (!hasContent) sent.delete('content-type');
  else if (!sent.has('content-type')) sent.set('content-type', 'text/plain');
  return sent;
}

function answered(received: Headers): HttpAnswer['headers'] {
  const kept = Array.from(received).filter(([name]) => !contentHeader.test(name) && name !== 'set-cookie');
  const cookies = received.getSetCookie();
  const [cookie] = cookies;
  return {
    ...Object.fromEntries(kept),
    ...(cookie === undefined ? {} : { 'set-cookie': cookies.length === 1 ? cookie : cookies }),
  };
}
