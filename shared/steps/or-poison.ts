import { ApiError } from '../domain/errors.ts';
import { poisonOf } from '../domain/queue-names.ts';
import type { Queue } from '../storage/ports.ts';
import type { Log } from './ports.ts';

export interface PoisonDeps {
  queue(name: string): Queue;
  readonly log: Log;
}

/**
 * Handles a message of a queue. One that is refused (ApiError) goes to the queue's poison queue as it came, with the reason in
 * the log: trying it again would not help. Any other fault is the host's to retry.
 */
export async function orPoison(
  deps: PoisonDeps,
  queue: string,
  message: unknown,
  handle: () => Promise<void>,
): Promise<void> {
  try {
    await handle();
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    const poison = poisonOf(queue);
    await deps.queue(poison).send(textOf(message));
    deps.log.error({ queue, poison, code: error.code, target: error.target, reason: error.message }, 'message refused');
  }
}

/** The host parses a text that is JSON before it hands it over. An empty text cannot be sent, so it keeps its quotes. */
const textOf = (message: unknown): string =>
  typeof message === 'string' && message !== '' ? message : (JSON.stringify(message) ?? 'null');
