import { app, type InvocationContext } from '@azure/functions';
import * as df from 'durable-functions';
import { runtime } from '../shared/runtime.ts';
import { readTriggerSettings } from '../shared/settings.ts';
import type { TriggerDeps } from '../shared/steps/trigger-deps.ts';
import { inScope } from '../shared/telemetry/job-scope.ts';
import { belowCaller, inSpan } from '../shared/telemetry/spans.ts';
import { orchestrations, takeClient } from './durable-client.ts';

/** Which triggers on storage this app has: the host fixes them when it loads the app. */
export const triggerSettings = readTriggerSettings(process.env);

/** What the steps behind queues and blobs need. */
export const triggerDeps = async (): Promise<TriggerDeps> => ({ ...(await runtime()).triggerDeps, orchestrations });

/** A function on a queue of the state's account: a message, parsed when it is JSON, is one call of a step. */
export function onQueue(
  name: string,
  queueName: string,
  step: (deps: TriggerDeps, message: unknown, context: InvocationContext) => Promise<void>,
): void {
  app.storageQueue(name, {
    queueName,
    connection: 'BATCHPOINT_STATE',
    extraInputs: [df.input.durableClient()],
    handler: async (message, context) => {
      takeClient(context);
      const deps = await triggerDeps();
      const below = belowCaller(context.traceContext?.traceParent);
      await inScope({}, () => inSpan(name, { kind: 'consumer', below }, () => step(deps, message, context)));
    },
  });
}
