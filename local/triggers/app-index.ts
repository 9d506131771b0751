import { indexBindings, type FunctionBindings } from '../bindings/function-bindings.ts';
import type { RegisteredFunction } from '../functions.ts';
import { reasonOf } from '../reason.ts';
import { indexBlobTrigger, type BlobTrigger } from './blob.ts';
import { indexQueueTrigger, type QueueTrigger } from './queue.ts';
import { indexTimerTrigger, type TimerTrigger } from './timer.ts';

export type Trigger = QueueTrigger | BlobTrigger | TimerTrigger;

/** The app's functions after a look at everything they refer to. */
export interface AppIndex {
  /** Functions that can run. */
  readonly functions: readonly RegisteredFunction[];
  /** Triggers that this host listens for; those of disabled functions are left out. */
  readonly triggers: readonly Trigger[];
  readonly bindingsOf: (fn: RegisteredFunction) => FunctionBindings;
  /** One line for each function that cannot run: the host goes on without it, as the real one does. */
  readonly errors: readonly string[];
  /** Lines about disabled functions, and settings that have no effect. */
  readonly notes: readonly string[];
}

const noBindings: FunctionBindings = { inputs: [], outputs: [] };

/** Resolves names, schedules, paths and connections of every function, each on its own. */
export function indexApp(all: readonly RegisteredFunction[], env: NodeJS.ProcessEnv): AppIndex {
  const functions: RegisteredFunction[] = [];
  const triggers: Trigger[] = [];
  const bindings = new Map<string, FunctionBindings>();
  const errors: string[] = [];
  const notes: string[] = [];
  for (const fn of all) {
    const disabled = isDisabled(fn.name, env);
    if (disabled) notes.push(`Function ${fn.name} is disabled.`);
    try {
      const trigger = indexTrigger(fn, env);
      bindings.set(fn.id, indexBindings(fn, env));
      functions.push(fn);
      if (trigger === undefined) continue;
      if (fn.retry !== undefined && trigger.kind !== 'timer') {
        notes.push(`Retries are not supported for function '${fn.name}': its ${fn.triggerType} has its own.`);
      }
      if (!disabled) triggers.push(trigger);
    } catch (error) {
      errors.push(`The '${fn.name}' function is in error: ${reasonOf(error)}`);
    }
  }
  return { functions, triggers, bindingsOf: (fn) => bindings.get(fn.id) ?? noBindings, errors, notes };
}

function indexTrigger(fn: RegisteredFunction, env: NodeJS.ProcessEnv): Trigger | undefined {
  if (fn.trigger.sdkBinding === true) throw new Error(`its ${fn.triggerType} sets sdkBinding, which is not served.`);
  switch (fn.triggerType) {
    case 'queueTrigger':
      return indexQueueTrigger(fn, env);
    case 'blobTrigger':
      return indexBlobTrigger(fn, env);
    case 'timerTrigger':
      return indexTimerTrigger(fn, env);
    default:
      return undefined;
  }
}

/** `AzureWebJobs.<name>.Disabled`, with `_` for `.` where a shell allows no dots; also the name of another setting. */
function isDisabled(name: string, env: NodeJS.ProcessEnv): boolean {
  const value = env[`AzureWebJobs.${name}.Disabled`] ?? env[`AzureWebJobs_${name}_Disabled`] ?? '';
  return ['true', '1'].includes(value.toLowerCase());
}
