import { z } from 'zod';
import { triggerCaller } from '../auth/caller.ts';
import { caselessObject } from '../domain/caseless.ts';
import { InvocationBody } from '../domain/invocation.ts';
import { readMessage } from '../domain/queue-message.ts';
import { invokeEndpoint } from './invoke-endpoint.ts';
import { orPoison } from './or-poison.ts';
import type { TriggerDeps } from './trigger-deps.ts';

/** Whoever may write to the queue; no token's subject looks like this. */
const SUBJECT = 'batchpoint:queue';

/** A message of the invoke queue; `body` is what a client would POST to the endpoint. */
const InvokeMessage = caselessObject({
  endpoint: z.string().min(1),
  /** The endpoint's default without. */
  deployment: z.string().min(1).optional(),
  /** The same id again is the same job; the message's own id without. */
  requestId: z.string().min(1).max(256).optional(),
  body: InvocationBody,
});

/** A message as the host hands it over. */
export interface QueuedInvocation {
  readonly queue: string;
  readonly message: unknown;
  /** The queue's id of the message: the same when it is delivered again. */
  readonly messageId: string;
}

/** Starts the job that a message asks for, once. A message that asks for no job that can be goes to poison and changes nothing. */
export const invokeFromQueue = (deps: TriggerDeps, { queue, message, messageId }: QueuedInvocation): Promise<void> =>
  orPoison(deps, queue, message, async () => {
    const { endpoint, deployment, requestId, body } = readMessage(InvokeMessage, message);
    const { spec } = await invokeEndpoint(deps, {
      endpoint,
      deployment,
      invocation: body.properties,
      requestId: requestId ?? messageId,
      caller: triggerCaller(SUBJECT, deps.grants),
    });
    deps.log.info({ queue, messageId, job: spec.name, endpoint }, 'a message has its job');
  });
