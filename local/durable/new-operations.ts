import { entityInstanceId, parseEntityInstanceId, requestIdOf } from './entity-message.ts';
import { OrchestrationFault, type Operation } from './operations.ts';
import { toJson } from './protocol.ts';

/** The instance that asks, and what it may ask for. */
export interface OperationContext {
  readonly instanceId: string;
  readonly executionId: string;
  readonly parentInstanceId: string | null;
  readonly activities: readonly string[];
  readonly orchestrators: readonly string[];
  readonly entities: readonly string[];
  /** The version that sub-orchestrations without one get: the worker's, not the parent's. */
  readonly defaultVersion: string;
}

type MakeOperation = (id: number) => Operation;

interface SubOrchestrationAction {
  readonly functionName: string;
  readonly instanceId?: string | null | undefined;
  readonly version?: string | null | undefined;
  readonly input?: unknown;
}

/** Turns actions into operations that want only their id. Each throws an OrchestrationFault on what cannot be asked. */
export function createOperations(context: OperationContext) {
  return {
    activity({ functionName: name, input }: { functionName: string; input?: unknown }): MakeOperation {
      requireKnown(name, context.activities, 'activity');
      return (id) => ({ kind: 'activity', id, name, input: toJson(input) });
    },

    subOrchestration(action: SubOrchestrationAction): MakeOperation {
      requireKnown(action.functionName, context.orchestrators, 'orchestrator');
      const explicit = action.instanceId ?? '';
      const taken = [context.instanceId, context.parentInstanceId];
      if (explicit.startsWith('@') || (explicit !== '' && taken.includes(explicit))) {
        throw new OrchestrationFault(
          `'${explicit}' is not a valid id for a sub-orchestration of '${context.instanceId}'.`,
        );
      }
      return (id) => ({
        kind: 'subOrchestration',
        id,
        name: action.functionName,
        instanceId: explicit === '' ? `${context.executionId}:${id}` : explicit,
        version: action.version ?? context.defaultVersion,
        input: toJson(action.input),
      });
    },

    entity(action: { instanceId: string; operation: string; input?: unknown }, signal: boolean): MakeOperation {
      const entity = parseEntityInstanceId(action.instanceId);
      if (entity === undefined) throw new OrchestrationFault(`'${action.instanceId}' is not the id of an entity.`);
      requireKnown(entity.name, context.entities, 'entity');
      const input = toJson(action.input);
      const { instanceId: parent, executionId: parentExecution } = context;
      return (id) => ({
        kind: 'entity',
        id,
        message: {
          target: entityInstanceId(entity),
          request: {
            op: action.operation,
            ...(signal ? { signal } : {}),
            ...(input === null ? {} : { input }),
            ...{ id: requestIdOf(parentExecution, id), parent, parentExecution },
          },
        },
      });
    },
  };
}

function requireKnown(name: string, known: readonly string[], kind: 'activity' | 'orchestrator' | 'entity'): void {
  if (known.some((candidate) => candidate.toLowerCase() === name.toLowerCase())) return;
  throw new OrchestrationFault(unknownFunction(name, known, kind));
}

/** The real host's text for a function that does not exist. */
export function unknownFunction(
  name: string,
  known: readonly string[],
  kind: 'activity' | 'orchestrator' | 'entity',
): string {
  return (
    `The function '${name}' doesn't exist, is disabled, or is not an ${kind} function. Additional info: ` +
    `The following are the known ${kind} functions: ${known.map((candidate) => `'${candidate}'`).join(', ')}.`
  );
}
