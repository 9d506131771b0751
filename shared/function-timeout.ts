import { functionTimeoutText } from './host-json.ts';

/** What the host takes where host.json says nothing (Flex Consumption, Premium, Dedicated). */
const DEFAULT_SECONDS = 30 * 60;

/** The longest slice as it is set in Azure, and a minute of grace. */
const SLICE_SECONDS = 20;
const GRACE_SECONDS = 60;

/**
 * Seconds that one try of a mini-batch may take: what the host's functionTimeout leaves beside the slice that the try is in,
 * because a longer one would be killed with its worker (H4). Reads host.json, over which an app setting goes, as in the host.
 */
export async function maxTimeoutSeconds(
  environment: Readonly<Record<string, string | undefined>>,
  sliceSeconds: number,
): Promise<number> {
  const set = await functionTimeoutText(environment);
  const whole = set === undefined ? DEFAULT_SECONDS : functionTimeoutSeconds(set);
  return Math.max(1, whole - Math.max(sliceSeconds, SLICE_SECONDS) - GRACE_SECONDS);
}

/** Nobody gains by an activity that waits longer: it fails, and is tried again. */
const LONGEST_PATIENCE_MS = 10 * 60_000;

/**
 * Milliseconds that one call of an activity waits while storage turns it away as too busy: a third of what a try may take, so that
 * the reads of a mini-batch and, when storage is busy again, the writes at its end still end within the function's time.
 */
export const storagePatienceMs = (maxSeconds: number): number => Math.min(LONGEST_PATIENCE_MS, (maxSeconds * 1000) / 3);

/** Seconds of `[d.]hh:mm:ss`; `-1` is no limit. */
function functionTimeoutSeconds(text: string): number {
  if (text.trim() === '-1') return Infinity;
  const parts = /^(?:(\d+)\.)?(\d{1,2}):(\d{1,2}):(\d{1,2})$/.exec(text.trim());
  if (!parts) throw new Error(`functionTimeout '${text.slice(0, 40)}' is not a time span such as 00:30:00.`);
  const [days, hours, minutes, seconds] = parts.slice(1).map((part) => Number(part ?? 0));
  return (((days ?? 0) * 24 + (hours ?? 0)) * 60 + (minutes ?? 0)) * 60 + (seconds ?? 0);
}
