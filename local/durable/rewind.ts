import { isChildOf } from './dispatcher.ts';
import { EventType, completedTaskId, type HistoryEvent, type SchedulingEvent } from './history.ts';
import type { Recovery } from './recovery.ts';
import { isFinished, type InstanceHead, type InstanceStore, type StoredInstance } from './store.ts';

type Created = Extract<SchedulingEvent, { readonly EventType: typeof EventType.subOrchestrationCreated }>;

/**
 * A failed history without its failures, as DTFx rewinds it (AzureTableTrackingStore.RewindHistoryAsync): failed
 * activities are scheduled anew under their ids, failed sub-orchestrations are waited for again. Children that `isKept`
 * refuses are scheduled anew too. As on the real host an orchestrator that had caught a failure and gone on, or that
 * retried, replays differently then and fails as non-deterministic.
 */
function rewoundHistory(
  history: readonly HistoryEvent[],
  isKept: (child: Created) => boolean,
  reason: string,
): HistoryEvent[] {
  const failed = new Set<number>();
  for (const event of history) if (isFailure(event)) failed.add(completedTaskId(event) ?? -1);
  const remains = (event: HistoryEvent): boolean => {
    switch (event.EventType) {
      case EventType.taskFailed:
      case EventType.subOrchestrationFailed:
      case EventType.executionCompleted:
        return false;
      case EventType.taskScheduled:
        return !failed.has(event.EventId);
      case EventType.subOrchestrationCreated:
        return !failed.has(event.EventId) || isKept(event);
      default:
        return true;
    }
  };
  const Timestamp = new Date().toISOString();
  return [...history.filter(remains), { EventType: EventType.genericEvent, Data: `Rewound: ${reason}`, Timestamp }];
}

function isFailure({ EventType: type }: HistoryEvent): boolean {
  return type === EventType.taskFailed || type === EventType.subOrchestrationFailed;
}

/**
 * Rewinds a failed instance and, before it, the sub-orchestrations that failed with it, so that a crash in between is
 * mended by rewinding again. `rewrite` stores one of them.
 */
async function rewindTree(
  store: InstanceStore,
  failed: StoredInstance,
  reason: string,
  rewrite: (head: InstanceHead, history: readonly HistoryEvent[]) => Promise<void>,
): Promise<void> {
  const { head, history } = failed;
  const failures = new Set(history.filter(isFailure).map(completedTaskId));
  const kept = new Set<number>();
  for (const event of history) {
    if (event.EventType !== EventType.subOrchestrationCreated || !failures.has(event.EventId)) continue;
    const child = await store.read(event.InstanceId);
    const task = { ...head, taskScheduledId: event.EventId };
    if (child === undefined || !isChildOf(child.head, task) || child.head.status === 'Terminated') continue;
    kept.add(event.EventId);
    if (child.head.status === 'Failed') await rewindTree(store, child, reason, rewrite);
  }
  const lastUpdatedTime = new Date().toISOString();
  await rewrite(
    { ...head, status: 'Running', output: null, lastUpdatedTime },
    rewoundHistory(history, ({ EventId }) => kept.has(EventId), reason),
  );
}

export type RewindAnswer = 'rewound' | 'absent' | 'finished' | 'unfinished';

/** Rewinds an instance, if it has failed, and brings it and its children back into memory. */
export async function rewindInstance(
  { store, recovery }: { readonly store: InstanceStore; readonly recovery: Recovery },
  instanceId: string,
  reason: string,
): Promise<RewindAnswer> {
  await recovery.settled(instanceId);
  const failed = await store.read(instanceId);
  if (failed === undefined) return 'absent';
  const { status } = failed.head;
  if (status !== 'Failed') return isFinished(status) ? 'finished' : 'unfinished';
  await rewindTree(store, failed, reason, (head, newEvents) =>
    recovery.during(head.instanceId, () => store.commit({ head, newEvents, consumed: [], replacesHistory: true })),
  );
  return 'rewound';
}
