import type { Log } from '../log.ts';
import { activityAnswer, childAnswer, childFailure } from './answers.ts';
import type { Chaos } from './chaos.ts';
import { EventType, type ParentInstance } from './history.ts';
import { createLimiter } from './limiter.ts';
import type { InboxItem, LiveInstance } from './live-instance.ts';
import { startLongTimer } from './long-timer.ts';
import type { Operation } from './operations.ts';
import { activityInputText } from './protocol.ts';
import type { ActivityAnswer, FunctionRunner } from './runner.ts';
import { isFinished, type InstanceHead, type RuntimeStatus } from './store.ts';
import { untilDone } from './until-done.ts';

type OperationOf<K extends Operation['kind']> = Extract<Operation, { kind: K }>;

export interface DispatcherOptions {
  readonly runner: FunctionRunner;
  readonly log: Log;
  readonly chaos: Chaos;
  readonly maxConcurrentActivities: number;
  readonly isStopped: () => boolean;
  /** Delivers an answer. */
  readonly post: (instanceId: string, item: InboxItem) => void;
  readonly createChild: (
    child: OperationOf<'subOrchestration'>,
    parent: ParentInstance,
  ) => Promise<{ readonly existing?: RuntimeStatus }>;
  /** The head as it is now, whether in memory or stored. */
  readonly headOf: (instanceId: string) => Promise<InstanceHead | undefined>;
}

export interface Dispatcher {
  /** Does what a committed episode asked for. */
  dispatch(instance: LiveInstance, executionId: string, operation: Operation): void;
  /** Does again what a stored history still waits for; a child that exists is waited for or answers at once. */
  resume(instance: LiveInstance, operation: Operation): void;
}

/** Carries operations out: activities with a limit, sub-orchestrations, timers. */
export function createDispatcher(options: DispatcherOptions): Dispatcher {
  const { runner, log, chaos, post, createChild, headOf, isStopped } = options;
  const runActivity = createLimiter(options.maxConcurrentActivities);

  async function activity(instanceId: string, executionId: string, operation: OperationOf<'activity'>): Promise<void> {
    if (isStopped()) return;
    post(instanceId, activityAnswer(executionId, operation, await answerOf(operation, instanceId)));
  }

  /** A fault of the host itself must not leave the orchestration waiting: it counts as the activity's failure. */
  async function answerOf({ name, input }: OperationOf<'activity'>, instanceId: string): Promise<ActivityAnswer> {
    try {
      return await runner.runActivity(name, activityInputText(input), instanceId);
    } catch (error) {
      log.error(`The activity '${name}' of '${instanceId}' could not be run.`, error);
      return { ok: false, message: error instanceof Error ? error.message : String(error), stack: '' };
    }
  }

  /** The parent's history holds the child already: it must be there in the end, whatever the storage says meanwhile. */
  async function startChild(operation: OperationOf<'subOrchestration'>, parent: ParentInstance): Promise<void> {
    const { instanceId } = operation;
    const fault = `The sub-orchestration '${instanceId}' could not be stored; it is tried again.`;
    await untilDone(
      async () => {
        const { existing } = await createChild(operation, parent);
        if (existing === undefined) return;
        const child = await headOf(instanceId);
        // An earlier try, whose answer was lost.
        if (child !== undefined && isChildOf(child, parent)) return;
        const reason = `An Orchestration instance with the status ${existing} already exists.`;
        log.warn(`The sub-orchestration '${instanceId}' cannot start: ${reason} On the real host its parent may hang.`);
        post(parent.instanceId, childFailure(parent, reason));
      },
      { log, fault, isStopped },
    );
  }

  function parentOf(instance: LiveInstance, executionId: string, taskScheduledId: number): ParentInstance {
    const { name, instanceId } = instance.head;
    return { name, instanceId, executionId, taskScheduledId };
  }

  function dispatch(instance: LiveInstance, executionId: string, operation: Operation): void {
    const { instanceId } = instance.head;
    switch (operation.kind) {
      case 'activity': {
        const copies = chaos.duplicate() ? 2 : 1;
        for (let copy = 0; copy < copies; copy++) runActivity(() => activity(instanceId, executionId, operation));
        return;
      }
      case 'subOrchestration':
        void startChild(operation, parentOf(instance, executionId, operation.id));
        return;
      case 'timer': {
        if (instance.head.executionId !== executionId) return;
        const fire = (): void => {
          const event = { EventType: EventType.timerFired, TimerId: operation.id, FireAt: operation.fireAt };
          post(instanceId, { executionId, event });
        };
        instance.timers.set(operation.id, startLongTimer(Date.parse(operation.fireAt), fire));
        return;
      }
      case 'entity':
        // Sent by the engine, whose next episode waits for it.
        return;
    }
  }

  async function resumeChild(instance: LiveInstance, operation: OperationOf<'subOrchestration'>): Promise<void> {
    const { executionId } = instance.head;
    const parent = parentOf(instance, executionId, operation.id);
    const fault = `The sub-orchestration '${operation.instanceId}' could not be looked up; it is tried again.`;
    const child = await untilDone(() => headOf(operation.instanceId), { log, fault, isStopped });
    if (isStopped()) return;
    if (child === undefined || !isChildOf(child, parent)) dispatch(instance, executionId, operation);
    else if (isFinished(child.status)) post(parent.instanceId, childAnswer(parent, child));
  }

  return {
    dispatch,
    resume(instance, operation) {
      if (operation.kind === 'subOrchestration') void resumeChild(instance, operation);
      else dispatch(instance, instance.head.executionId, operation);
    },
  };
}

/** Whether an instance was started by this very task. */
export function isChildOf({ parent }: InstanceHead, task: ParentInstance): boolean {
  return (
    parent?.instanceId === task.instanceId &&
    parent.executionId === task.executionId &&
    parent.taskScheduledId === task.taskScheduledId
  );
}
