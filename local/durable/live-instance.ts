import { lastSent, parseEntityRequest, type EntityMessage } from './entity-message.ts';
import { EventType, completedTaskId, isEventSent, isScheduling, type EventBody, type HistoryEvent } from './history.ts';
import { maxConsumed, type InstanceHead, type StoredInstance } from './store.ts';

/** Something that waits for the next episode. Answers of tasks carry the execution they belong to. */
export interface InboxItem {
  readonly event: EventBody;
  readonly executionId?: string;
  /** Set when the store keeps the item until a commit has consumed it. */
  readonly messageId?: string;
}

/** An unfinished instance in memory: a cache of what the store holds, plus what has arrived since. */
export interface LiveInstance {
  head: InstanceHead;
  history: HistoryEvent[];
  inbox: InboxItem[];
  /** What a lost episode had taken: delivered again, behind what arrives until then. */
  returned: InboxItem[];
  /** Ids of tasks that wait for an answer. */
  open: Set<number>;
  /** One more than the highest id of a task that the history has scheduled. */
  scheduledTasks: number;
  /** Tasks that call entities, by the name of the event that answers. */
  calls: Map<string, number>;
  /** What the last episode sent to entities. */
  sent: readonly EntityMessage[];
  started: boolean;
  /** The history does not end with an episode's end, because that had something to send first, or was rewound. */
  cut: boolean;
  busy: boolean;
  /** Cancels the pending start of an episode. */
  wake: (() => void) | undefined;
  timers: Map<number, () => void>;
  lastEpisodeMs: number;
  lastEpisodeEnd: number;
  /** The last episode was dropped by the chaos gate: the next one counts. */
  ghosted: boolean;
}

/** Builds the cache from what the store holds. */
export function toLive({ head, history, messages }: StoredInstance): LiveInstance {
  const instance: LiveInstance = {
    head,
    history: [],
    inbox: [...messages],
    returned: [],
    open: new Set(),
    scheduledTasks: 0,
    calls: new Map(),
    sent: lastSent(history),
    started: false,
    cut: false,
    busy: false,
    wake: undefined,
    timers: new Map(),
    lastEpisodeMs: 0,
    lastEpisodeEnd: 0,
    ghosted: false,
  };
  append(instance, history);
  return instance;
}

/** Adds committed events to the cache. */
export function append(instance: LiveInstance, events: readonly HistoryEvent[]): void {
  for (const event of events) {
    instance.history.push(event);
    if (event.EventType === EventType.executionStarted) instance.started = true;
    else if (isScheduling(event)) {
      instance.scheduledTasks = Math.max(instance.scheduledTasks, event.EventId + 1);
      const request = isEventSent(event) ? parseEntityRequest(event.Input) : undefined;
      if (request?.signal === true) continue;
      if (request !== undefined) instance.calls.set(request.id, event.EventId);
      instance.open.add(event.EventId);
    } else {
      const id = answeredTask(instance, event);
      if (id === undefined) continue;
      instance.open.delete(id);
      instance.timers.delete(id);
    }
  }
  const last = instance.history.at(-1);
  instance.cut = last !== undefined && last.EventType !== EventType.orchestratorCompleted;
}

/** The task that an event answers; an answer of an entity is known by its name alone. */
function answeredTask(instance: LiveInstance, event: EventBody): number | undefined {
  return event.EventType === EventType.eventRaised ? instance.calls.get(event.Name) : completedTaskId(event);
}

/** Forgets the old execution after continueAsNew: its history, its timers and the answers meant for it. */
export function beginExecution(instance: LiveInstance): void {
  for (const cancel of instance.timers.values()) cancel();
  instance.timers.clear();
  instance.history = [];
  instance.open.clear();
  instance.scheduledTasks = 0;
  instance.calls.clear();
  instance.started = false;
  instance.cut = false;
  instance.inbox = instance.inbox.filter((item) => item.executionId === undefined);
}

function isControl(event: EventBody): boolean {
  return (
    event.EventType === EventType.executionTerminated ||
    event.EventType === EventType.executionSuspended ||
    event.EventType === EventType.executionResumed
  );
}

type Verdict = 'accept' | 'drop' | 'hold';

/** What to do with an item now. Answers are matched by task id alone, as on the real host. */
function judge(instance: LiveInstance, item: InboxItem, suspended: boolean): Verdict {
  if (item.executionId !== undefined && item.executionId !== instance.head.executionId) return 'drop';
  if (suspended && !isControl(item.event)) return 'hold';
  const id = answeredTask(instance, item.event);
  if (id === undefined) return 'accept';
  // An answer may come before the episode that scheduled its task is committed (a ghost's): it waits for that.
  if (id >= instance.scheduledTasks) return 'hold';
  return instance.open.has(id) ? 'accept' : 'drop';
}

/** Whether an episode is due even if nothing has arrived. */
export function isDue({ started, cut }: LiveInstance, suspended: boolean): boolean {
  return (!started || cut) && !suspended;
}

/** Whether an episode has something to do. */
export function isRunnable(instance: LiveInstance): boolean {
  const suspended = instance.head.status === 'Suspended';
  if (isDue(instance, suspended)) return true;
  return instance.inbox.some((item) => judge(instance, item, suspended) !== 'hold');
}

/** Whether an answer is still to come, so that waiting a moment may save an episode. */
export function expectsMore(instance: LiveInstance): boolean {
  return instance.open.size > instance.timers.size + instance.inbox.length;
}

export interface Admission {
  readonly events: readonly EventBody[];
  readonly held: readonly InboxItem[];
  readonly consumed: readonly string[];
  readonly suspended: boolean;
  readonly terminated?: string;
}

/** Sorts what has arrived into what the episode sees, what waits on and what is dropped (late and second answers). */
export function admit(instance: LiveInstance, items: readonly InboxItem[]): Admission {
  const events: EventBody[] = [];
  let held: InboxItem[] = [];
  const consumed: string[] = [];
  const answered = new Set<number>();
  let suspended = instance.head.status === 'Suspended';
  const coming = items.toReversed();
  for (let item = coming.pop(); item !== undefined; item = coming.pop()) {
    const verdict = judge(instance, item, suspended);
    const isFull = item.messageId !== undefined && consumed.length === maxConsumed;
    if (verdict === 'hold' || isFull) {
      held.push(item);
      continue;
    }
    if (item.messageId !== undefined) consumed.push(item.messageId);
    const id = answeredTask(instance, item.event);
    if (verdict === 'drop' || (id !== undefined && answered.has(id))) continue;
    if (id !== undefined) answered.add(id);
    events.push(item.event);
    if (item.event.EventType === EventType.executionTerminated) {
      return { events, held, consumed, suspended, terminated: item.event.Input };
    }
    if (item.event.EventType === EventType.executionSuspended) suspended = true;
    if (item.event.EventType === EventType.executionResumed) {
      suspended = false;
      // What waited for this moment came before what follows it.
      coming.push(...held.toReversed());
      held = [];
    }
  }
  return { events, held, consumed, suspended };
}
