import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Log } from '../log.ts';
import { activityAnswer, childAnswer, childFailure } from './answers.ts';
import type { Chaos } from './chaos.ts';
import { lastSent } from './entity-message.ts';
import { createEntityScheduler, type EntityScheduler } from './entity-scheduler.ts';
import { newExecutionId, runEpisode, type Decision } from './episode.ts';
import { EventType, type EventBody, type ParentInstance } from './history.ts';
import { createLimiter } from './limiter.ts';
import { admit, append, beginExecution, expectsMore, isDue, isRunnable, toLive } from './live-instance.ts';
import type { InboxItem, LiveInstance } from './live-instance.ts';
import { startLongTimer } from './long-timer.ts';
import type { Operation } from './operations.ts';
import { activityInputText } from './protocol.ts';
import type { ActivityAnswer, FunctionRunner } from './runner.ts';
import { isFinished, type InstanceHead, type InstanceStore, type RuntimeStatus } from './store.ts';

export interface EngineOptions {
  readonly store: InstanceStore;
  readonly runner: FunctionRunner;
  readonly log: Log;
  readonly chaos: Chaos;
  readonly maxConcurrentActivities: number;
  readonly maxConcurrentOrchestrators: number;
  readonly defaultVersion: string;
}

type ActivityOperation = Extract<Operation, { kind: 'activity' }>;

export interface StartRequest {
  readonly name: string;
  /** 32 hex digits are made up when absent. */
  readonly instanceId?: string;
  /** JSON text. */
  readonly input: string | null;
  readonly version?: string;
}

export interface DurableEngine {
  /** Answers once the start is stored; an unfinished instance of that id is left alone and its status answered. */
  start(request: StartRequest): Promise<{ readonly instanceId: string; readonly existing?: RuntimeStatus }>;
  /** Answers once the event is stored. */
  send(instanceId: string, event: EventBody): Promise<'added' | 'absent' | 'finished'>;
  readonly entities: Pick<EntityScheduler, 'deliver'>;
  /** Stops timers and starts nothing more. */
  stop(): void;
}

/** Longest time that answers are gathered before the next episode. */
const longestWindowMs = 250;
/** Time in which a lost episode's answers may overtake its repetition, as after a lost lease. */
const ghostDelayMs = 20;
const retryAfterFaultMs = 1000;

export function createEngine(options: EngineOptions): DurableEngine {
  const { store, runner, log, chaos } = options;
  const live = new Map<string, LiveInstance>();
  const creating = new Map<string, Promise<unknown>>();
  const runActivity = createLimiter(options.maxConcurrentActivities);
  const runOrchestration = createLimiter(options.maxConcurrentOrchestrators);
  let stopped = false;
  const answer = async (instanceId: string, event: EventBody): Promise<void> => void (await send(instanceId, event));
  const entities = createEntityScheduler({ store, runner, log, answer });

  async function create(request: StartRequest, parent: ParentInstance | null) {
    const now = new Date().toISOString();
    const head: InstanceHead = {
      instanceId: request.instanceId ?? newExecutionId(),
      executionId: newExecutionId(),
      name: request.name,
      version: request.version ?? options.defaultVersion,
      status: 'Pending',
      input: request.input,
      output: null,
      customStatus: null,
      createdTime: now,
      lastUpdatedTime: now,
      parent,
    };
    const { instanceId } = head;
    const creation = store.create(head);
    creating.set(instanceId, creation);
    try {
      const { existing } = await creation;
      if (existing !== undefined) return { instanceId, existing };
      const instance = toLive({ head, history: [], messages: [] });
      live.set(instanceId, instance);
      schedule(instance);
      return { instanceId };
    } finally {
      if (creating.get(instanceId) === creation) creating.delete(instanceId);
    }
  }

  function post(instanceId: string, item: InboxItem): void {
    const instance = live.get(instanceId);
    if (instance === undefined) return;
    instance.inbox.push(item);
    schedule(instance);
  }

  /** Runs an episode soon: at once when no further answer is due, else after a window that grows with its cost. */
  function schedule(instance: LiveInstance): void {
    if (stopped || instance.busy || instance.returned.length > 0 || !isCurrent(instance)) return;
    const gather = expectsMore(instance);
    if (instance.wake !== undefined) {
      if (gather) return;
      instance.wake();
      instance.wake = undefined;
    }
    if (!isRunnable(instance)) return;
    const window = gather ? Math.min(2 * instance.lastEpisodeMs, longestWindowMs) : 0;
    runAfter(instance, instance.lastEpisodeEnd + window - performance.now());
  }

  function runAfter(instance: LiveInstance, delayMs: number): void {
    const run = (): void => {
      instance.wake = undefined;
      instance.busy = true;
      runOrchestration(() => turn(instance));
    };
    if (delayMs > 0) {
      const handle = setTimeout(run, delayMs);
      instance.wake = () => clearTimeout(handle);
    } else {
      const handle = setImmediate(run);
      instance.wake = () => clearImmediate(handle);
    }
  }

  function isCurrent(instance: LiveInstance): boolean {
    return live.get(instance.head.instanceId) === instance;
  }

  async function turn(instance: LiveInstance): Promise<void> {
    const items = [...instance.inbox, ...instance.returned];
    instance.inbox = [];
    instance.returned = [];
    const begun = performance.now();
    let pauseMs = 0;
    try {
      pauseMs = await episode(instance, items);
    } catch (error) {
      log.error(`The instance '${instance.head.instanceId}' could not go on; the episode is repeated.`, error);
      instance.inbox = [...items, ...instance.inbox];
      pauseMs = retryAfterFaultMs;
    }
    instance.busy = false;
    instance.lastEpisodeEnd = performance.now();
    instance.lastEpisodeMs = instance.lastEpisodeEnd - begun;
    if (stopped || !isCurrent(instance)) return;
    if (pauseMs > 0) runAfter(instance, pauseMs);
    else schedule(instance);
  }

  /** One episode: admit, run, commit, and only then dispatch. Returns a pause (ms) before the next one. */
  async function episode(instance: LiveInstance, items: InboxItem[]): Promise<number> {
    const admission = admit(instance, items);
    if (!isDue(instance, admission.suspended) && admission.events.length === 0) {
      instance.inbox.unshift(...admission.held);
      return 0;
    }
    const decision = await runEpisode(instance, admission, runner, options.defaultVersion);
    if (decision.lostError) {
      log.warn(
        `The orchestrator '${instance.head.name}' (instance '${instance.head.instanceId}') threw something without ` +
          'text. The SDK does not report it, so the instance stays Running for ever, as on the real host. Throw only ' +
          'Errors with a message.',
      );
    }
    const { executionId } = instance.head;
    const activities = decision.operations.filter((operation) => operation.kind === 'activity');
    if (!instance.ghosted && activities.length > 0 && chaos.ghost()) {
      instance.ghosted = true;
      for (const operation of activities) dispatch(instance, executionId, operation);
      instance.returned = items;
      return ghostDelayMs;
    }
    instance.ghosted = false;
    await store.commit(decision.commit);
    instance.inbox.unshift(...admission.held);
    settle(instance, decision, executionId);
    // This commit tells that the one before it was carried out.
    entities.forget(instance.sent);
    instance.sent = lastSent(decision.commit.newEvents);
    await mail(instance);
    return 0;
  }

  /** Hands the last episode's requests to their entities before another episode makes this one the past. */
  async function mail({ head, sent }: LiveInstance): Promise<void> {
    while (!stopped) {
      try {
        await entities.deliver(sent);
        return;
      } catch (error) {
        log.error(`What '${head.instanceId}' sends to entities could not be stored; it is tried again.`, error);
        await sleep(retryAfterFaultMs, undefined, { ref: false });
      }
    }
  }

  function settle(instance: LiveInstance, { commit, operations, canceledTimers }: Decision, executionId: string): void {
    instance.head = commit.head;
    if (commit.head.executionId === executionId) append(instance, commit.newEvents);
    else beginExecution(instance);
    for (const operation of operations) dispatch(instance, executionId, operation);
    for (const id of canceledTimers) {
      instance.timers.get(id)?.();
      instance.timers.delete(id);
      instance.open.delete(id);
    }
    if (!isFinished(commit.head.status)) return;
    for (const cancel of instance.timers.values()) cancel();
    if (isCurrent(instance)) live.delete(commit.head.instanceId);
    const { parent } = commit.head;
    if (parent !== null) post(parent.instanceId, childAnswer(parent, commit.head));
  }

  function dispatch(instance: LiveInstance, executionId: string, operation: Operation): void {
    const { instanceId, name } = instance.head;
    switch (operation.kind) {
      case 'activity': {
        const copies = chaos.duplicate() ? 2 : 1;
        for (let copy = 0; copy < copies; copy++) runActivity(() => activity(instanceId, executionId, operation));
        return;
      }
      case 'subOrchestration': {
        const parent = { name, instanceId, executionId, taskScheduledId: operation.id };
        void startChild(operation, parent);
        return;
      }
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
        // Sent by `mail`, which an episode waits for.
        return;
    }
  }

  async function activity(instanceId: string, executionId: string, operation: ActivityOperation): Promise<void> {
    if (stopped) return;
    post(instanceId, activityAnswer(executionId, operation, await answerOf(operation, instanceId)));
  }

  /** A fault of the host itself must not leave the orchestration waiting: it counts as the activity's failure. */
  async function answerOf({ name, input }: ActivityOperation, instanceId: string): Promise<ActivityAnswer> {
    try {
      return await runner.runActivity(name, activityInputText(input), instanceId);
    } catch (error) {
      log.error(`The activity '${name}' of '${instanceId}' could not be run.`, error);
      return { ok: false, message: error instanceof Error ? error.message : String(error), stack: '' };
    }
  }

  async function startChild(
    operation: Extract<Operation, { kind: 'subOrchestration' }>,
    parent: ParentInstance,
  ): Promise<void> {
    const { name, instanceId, input, version } = operation;
    try {
      const { existing } = await create({ name, instanceId, input, version }, parent);
      if (existing === undefined) return;
      const reason = `An Orchestration instance with the status ${existing} already exists.`;
      log.warn(`The sub-orchestration '${instanceId}' cannot start: ${reason} On the real host its parent may hang.`);
      post(parent.instanceId, childFailure(parent, reason));
    } catch (error) {
      log.error(`The sub-orchestration '${instanceId}' could not be stored.`, error);
      post(parent.instanceId, childFailure(parent, `The sub-orchestration '${instanceId}' could not be stored.`));
    }
  }

  async function send(instanceId: string, event: EventBody): Promise<'added' | 'absent' | 'finished'> {
    // An instance that is just being stored must not miss the event.
    await creating.get(instanceId);
    const messageId = randomUUID();
    const result = await store.addMessage(instanceId, { messageId, event });
    if (result === 'added') post(instanceId, { event, messageId });
    return result;
  }

  return {
    start: (request) => create(request, null),
    send,
    entities,
    stop() {
      stopped = true;
      entities.stop();
      for (const instance of live.values()) {
        instance.wake?.();
        for (const cancel of instance.timers.values()) cancel();
      }
    },
  };
}
