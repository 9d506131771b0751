import { BEAT_MS } from './lane-report.ts';

const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;

/** How long the host keeps a message of a dead worker back (host.json, visibility timeouts): a crash costs that much. */
const VISIBILITY_MS = MINUTE;

/** How long an activity may take at most (host.json, functionTimeout). */
const FUNCTION_TIMEOUT_MS = 30 * MINUTE;

/** What the sweeper waits for, in milliseconds. */
export const WAIT = {
  /** An invocation starts its job at once; one that died is taken over after this. */
  start: MINUTE,
  /** Lanes that are told to stop do so between mini-batches; those that do not are ended. */
  cancel: 5 * MINUTE,
  /** A lane without a sign of life, when nothing else is queued. */
  silence: Math.max(3 * VISIBILITY_MS, 3 * BEAT_MS),
  /** Plan and fan-in are one activity each, without a sign of life. */
  activity: FUNCTION_TIMEOUT_MS + MINUTE,
  /** A commit request that was on its way when the fan-in lost its right to commit. */
  commit: 2 * MINUTE,
  /** Uncommitted blocks live seven days (H14). */
  blocks: 6 * DAY,
  /** An index row whose record was never written. */
  orphan: DAY,
  /** Between two purges of histories. */
  purge: 60 * MINUTE,
} as const;
