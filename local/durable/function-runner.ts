import type { RpcTypedData } from '../core-api.ts';
import type { RegisteredFunction } from '../functions.ts';
import type { Invoke } from '../invoke.ts';
import { decodeReturned, decodeThrown } from './protocol.ts';
import { findRepeatedTask } from './repeated-task.ts';
import type { FunctionRunner } from './runner.ts';

/** Runs orchestrators and activities of the loaded app; names are compared without case, as on the real host. */
export function createFunctionRunner(functions: readonly RegisteredFunction[], invoke: Invoke): FunctionRunner {
  const ofType = (type: string): Map<string, RegisteredFunction> =>
    new Map(functions.filter((fn) => fn.triggerType === type).map((fn) => [fn.name.toLowerCase(), fn]));
  const orchestrators = ofType('orchestrationTrigger');
  const activities = ofType('activityTrigger');
  const find = (known: ReadonlyMap<string, RegisteredFunction>, name: string): RegisteredFunction => {
    const fn = known.get(name.toLowerCase());
    if (fn === undefined) throw new Error(`There is no function '${name}'.`);
    return fn;
  };

  return {
    orchestrators: Array.from(orchestrators.values(), (fn) => fn.name),
    activities: Array.from(activities.values(), (fn) => fn.name),

    async runOrchestrator(name, turn) {
      let repeatedTask: string | undefined;
      const inspect = (result: unknown): void => {
        repeatedTask = findRepeatedTask(result);
      };
      try {
        const response = await invoke(find(orchestrators, name), { data: { string: turn }, reason: '(null)', inspect });
        const state = decodeReturned(toJsonText(response) ?? 'null');
        return repeatedTask === undefined ? { state } : { state, repeatedTask };
      } catch (error) {
        return { state: decodeThrown(messageOf(error)) };
      }
    },

    async runActivity(name, input, instanceId) {
      try {
        const data = input === undefined ? undefined : { string: input };
        const triggerMetadata = { instanceId: { string: instanceId } };
        const response = await invoke(find(activities, name), { data, reason: '(null)', triggerMetadata });
        return { ok: true, result: toJsonText(response) };
      } catch (error) {
        return { ok: false, message: messageOf(error), stack: error instanceof Error ? (error.stack ?? '') : '' };
      }
    },
  };
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** The JSON text of what a function returned; null for nothing. */
function toJsonText({ returnValue }: { readonly returnValue?: RpcTypedData | null }): string | null {
  if (returnValue === null || returnValue === undefined) return null;
  const { json, string, int, double, bytes } = returnValue;
  if (json !== null && json !== undefined) return json;
  if (bytes !== null && bytes !== undefined) return JSON.stringify(Buffer.from(bytes).toString('base64'));
  return JSON.stringify(string ?? int ?? double ?? null);
}
