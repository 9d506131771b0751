import type { RpcTypedData } from '../core-api.ts';
import type { RegisteredFunction } from '../functions.ts';
import type { Invocation, Invoke } from '../invoke.ts';
import { httpActivity, runHttpActivity } from './call-http.ts';
import { decodeReturned, decodeThrown } from './protocol.ts';
import { findRepeatedTask } from './repeated-task.ts';
import type { ActivityAnswer, FunctionRunner } from './runner.ts';

/** Runs orchestrators, activities and entities of the loaded app; names are compared without case, as on the real host. */
export function createFunctionRunner(functions: readonly RegisteredFunction[], invoke: Invoke): FunctionRunner {
  const ofType = (type: string): Map<string, RegisteredFunction> =>
    new Map(functions.filter((fn) => fn.triggerType === type).map((fn) => [fn.name.toLowerCase(), fn]));
  const orchestrators = ofType('orchestrationTrigger');
  const activities = ofType('activityTrigger');
  const entities = ofType('entityTrigger');
  const find = (known: ReadonlyMap<string, RegisteredFunction>, name: string): RegisteredFunction => {
    const fn = known.get(name.toLowerCase());
    if (fn === undefined) throw new Error(`There is no function '${name}'.`);
    return fn;
  };

  async function answerOf(fn: RegisteredFunction, invocation: Omit<Invocation, 'reason'>): Promise<ActivityAnswer> {
    try {
      return { ok: true, result: toJsonText(await invoke(fn, { ...invocation, reason: '(null)' })) };
    } catch (error) {
      return { ok: false, message: messageOf(error), stack: error instanceof Error ? (error.stack ?? '') : '' };
    }
  }

  return {
    orchestrators: Array.from(orchestrators.values(), (fn) => fn.name),
    activities: Array.from(activities.values(), (fn) => fn.name),
    entities: Array.from(entities.values(), (fn) => fn.name),

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
      if (name === httpActivity) return runHttpActivity(input);
      const data = input === undefined ? undefined : { string: input };
      const triggerMetadata = { instanceId: { string: instanceId } };
      return answerOf(find(activities, name), { data, triggerMetadata });
    },

    async runEntity(name, batch) {
      return answerOf(find(entities, name), { data: { string: batch } });
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
