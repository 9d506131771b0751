import { EventType, type ParentInstance } from './history.ts';
import type { InboxItem } from './live-instance.ts';
import type { ActivityAnswer } from './runner.ts';
import type { InstanceHead } from './store.ts';

/** What an orchestration hears when one of its activities has ended. */
export function activityAnswer(
  executionId: string,
  task: { readonly id: number; readonly name: string },
  answer: ActivityAnswer,
): InboxItem {
  const TaskScheduledId = task.id;
  if (answer.ok) {
    return { executionId, event: { EventType: EventType.taskCompleted, TaskScheduledId, Result: answer.result } };
  }
  const Reason = `Activity function '${task.name}' failed: ${answer.message}`;
  const Details = JSON.stringify({ Message: answer.message, StackTrace: answer.stack });
  return { executionId, event: { EventType: EventType.taskFailed, TaskScheduledId, Reason, Details } };
}

/** What a parent hears when its sub-orchestration has failed, was terminated or could not start. */
export function childFailure({ executionId, taskScheduledId }: ParentInstance, reason: string): InboxItem {
  return {
    executionId,
    event: {
      EventType: EventType.subOrchestrationFailed,
      TaskScheduledId: taskScheduledId,
      Reason: reason,
      Details: JSON.stringify({ Message: reason }),
    },
  };
}

/** What a parent hears when its sub-orchestration has ended, whichever way. */
export function childAnswer(parent: ParentInstance, { status, output }: InstanceHead): InboxItem {
  if (status !== 'Completed') return childFailure(parent, output ?? '');
  const { executionId, taskScheduledId: TaskScheduledId } = parent;
  return { executionId, event: { EventType: EventType.subOrchestrationCompleted, TaskScheduledId, Result: output } };
}
