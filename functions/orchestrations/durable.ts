import { RetryOptions, type OrchestrationContext, type Task } from 'durable-functions';
import type { z } from 'zod';
import { messageOf } from '../../shared/domain/errors.ts';

/** The orchestrator's side of Durable Functions. */
export type Durable = OrchestrationContext['df'];

/** A story that yields tasks and ends with `T`; joined with `yield*`. */
export type Story<T> = Generator<Task, T, unknown>;

/** Exceptions mean infrastructure: half a second, one, two, four. Only activities are retried, never orchestrations (H9). */
const RETRY = new RetryOptions(500, 5);
RETRY.backoffCoefficient = 2;

/** Calls an activity, with retries, and reads its answer through its schema. */
export function* activity<T>(durable: Durable, name: string, input: object, answer: z.ZodType<T>): Story<T> {
  return answer.parse(yield durable.callActivityWithRetry(name, RETRY, input));
}

/**
 * The line of an activity's failure that is meant for people: the host wraps it as `Activity function 'x' failed: ... \n {json}`
 * (functions-host 2.7).
 */
export const failureLine = (error: unknown): string =>
  (messageOf(error).split(' \n')[0] ?? '').replace(/^(?:Activity|Orchestrator) function '[^']+' failed: /, '').trim();
