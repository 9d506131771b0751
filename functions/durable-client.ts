import type { InvocationContext } from '@azure/functions';
import * as df from 'durable-functions';
import type { DurableClient } from 'durable-functions';
import { durableOrchestrations } from './durable-orchestrations.ts';

/** The binding is the same for every invocation of a process; the first one that has it brings it. */
let client: DurableClient | undefined;

/** Remembers the durable client of an invocation that has its input binding. */
export function takeClient(context: InvocationContext): void {
  client ??= df.getClient(context);
}

const broughtClient = (): DurableClient => {
  if (!client) throw new Error('no invocation has brought the durable client yet');
  return client;
};

export const orchestrations = durableOrchestrations(broughtClient);
export const pipelineOrchestrations = durableOrchestrations(broughtClient, {
  job: 'runPipeline',
  part: 'runPipelineStep',
});
