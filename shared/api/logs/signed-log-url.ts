import { ApiError } from '../../domain/errors.ts';
import type { SignedIds } from '../signed-ids.ts';

/** How long a URL is good; clients ask for a new one at every poll. */
const VALID_SECONDS = 3600;

const PURPOSE = 'log';
const SIGNATURE = /^[\w-]{43}$/;
const signedText = (job: string, file: string, expires: string): string => JSON.stringify([job, file, expires]);

/** The URL of a job's log that needs no header: whoever has it may read this one file for an hour from `now` (milliseconds). */
export async function signedLogUrl(
  ids: SignedIds,
  { baseUrl, job, file, now }: { baseUrl: string; job: string; file: string; now: number },
): Promise<string> {
  const expires = String(Math.floor(now / 1000) + VALID_SECONDS);
  const signature = await ids.sign(PURPOSE, signedText(job, file, expires));
  return `${baseUrl}/logs/${job}/${file}?se=${expires}&sig=${signature}`;
}

/** Throws ApiError 403 unless the query signs this file and is still good. */
export async function checkLogUrl(
  ids: SignedIds,
  { query, job, file, now }: { query: URLSearchParams; job: string; file: string; now: number },
): Promise<void> {
  const expires = query.get('se') ?? '';
  const signature = query.get('sig') ?? '';
  const signed = SIGNATURE.test(signature) && (await ids.isSigned(PURPOSE, signedText(job, file, expires), signature));
  if (!signed) throw new ApiError(403, 'AuthenticationFailed', 'The URL is not signed by this app.');
  if (Number(expires) * 1000 <= now)
    throw new ApiError(403, 'AuthenticationFailed', 'The URL has expired. Ask for the run again.');
}
