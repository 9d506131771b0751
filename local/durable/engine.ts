import type { Log } from '../log.ts';
import { childAnswer } from './answers.ts';
import type { Chaos } from './chaos.ts';
import { createDispatcher } from './dispatcher.ts';
import { lastSent, parseEntityInstanceId } from './entity-message.ts';
import { createEntityScheduler, type EntityScheduler } from './entity-scheduler.ts';
import { newExecutionId, operationOf, runEpisode, type Decision } from './episode.ts';
import { isScheduling, type EventBody, type ParentInstance } from './history.ts';
import { createLimiter } from './limiter.ts';
import { admit, append, beginExecution, expectsMore, isDue, isRunnable, toLive } from './live-instance.ts';
import type { InboxItem, LiveInstance } from './live-instance.ts';
import { createRecovery } from './recovery.ts';
import { rewindInstance, type RewindAnswer } from './rewind.ts';
import type { FunctionRunner } from './runner.ts';
import { strictRunner } from './strict-replay.ts';
import { isFinished, newMessageId, RemovedInstance } from './store.ts';
import { retryAfterFaultMs } from './until-done.ts';
import type { InstanceHead, InstanceStore, RuntimeStatus, StoredInstance } from './store.ts';

export interface EngineOptions {
  readonly store: InstanceStore;
  readonly runner: FunctionRunner;
  readonly log: Log;
  readonly chaos: Chaos;
  readonly maxConcurrentActivities: number;
  readonly maxConcurrentOrchestrators: number;
  readonly defaultVersion: string;
  /** Every episode is replayed twice, and fails its instance where the two differ. */
  readonly strictReplay?: boolean;
}

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
  /** Goes on with every unfinished instance that the store holds, in the background. Before the first start. */
  recover(): Promise<void>;
  /** Answers once the event is stored. */
  send(instanceId: string, event: EventBody): Promise<'added' | 'absent' | 'finished'>;
  /** Lets a failed instance go on from its failed tasks. */
  rewind(instanceId: string, reason: string): Promise<RewindAnswer>;
  readonly entities: Pick<EntityScheduler, 'deliver'>;
  /** Stops timers and starts nothing more. */
  stop(): void;
}

/** Longest time that answers are gathered before the next episode. */
const longestWindowMs = 250;
/** Time in which a lost episode's answers may overtake its repetition, as after a lost lease. */
const ghostDelayMs = 20;

export function createEngine(options: EngineOptions): DurableEngine {
  const { store, log, chaos } = options;
  const runner = options.strictReplay === true ? strictRunner(options.runner) : options.runner;
  const live = new Map<string, LiveInstance>();
  const creating = new Map<string, Promise<unknown>>();
  const runOrchestration = createLimiter(options.maxConcurrentOrchestrators);
  let stopped = false;
  const isStopped = (): boolean => stopped;
  const recovery = createRecovery({ store, log, adopt, isStopped });
  const { dispatch, resume } = createDispatcher({
    ...{ runner, log, chaos, post, isStopped, maxConcurrentActivities: options.maxConcurrentActivities },
    createChild: ({ name, instanceId, input, version }, parent) => create({ name, instanceId, input, version }, parent),
    async headOf(instanceId) {
      await recovery.settled(instanceId);
      return live.get(instanceId)?.head ?? store.readHead(instanceId);
    },
  });
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
    } catch (error) {
      recovery.reload(instanceId);
      throw error;
    } finally {
      if (creating.get(instanceId) === creation) creating.delete(instanceId);
    }
  }

  /** Takes a stored instance into memory, and does again what it still waits for. */
  function adopt(stored: StoredInstance): void {
    if (isFinished(stored.head.status) || live.has(stored.head.instanceId)) return;
    if (parseEntityInstanceId(stored.head.instanceId) !== undefined) {
      entities.recover(stored);
      return;
    }
    const instance = toLive(stored);
    live.set(instance.head.instanceId, instance);
    for (const event of instance.history) {
      if (isScheduling(event) && instance.open.has(event.EventId)) resume(instance, operationOf(event));
    }
    // What its last episode sent may not have gone out.
    instance.busy = true;
    void entities.insist(instance.sent).then(() => {
      instance.busy = false;
      schedule(instance);
    });
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
      if (error instanceof RemovedInstance) {
        log.error(`${error.message} The host goes on without it.`);
        forget(instance);
        return;
      }
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
      instance.inbox = [...admission.held, ...instance.inbox];
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
    instance.inbox = [...admission.held, ...instance.inbox];
    settle(instance, decision, executionId);
    // This commit tells that the one before it was carried out.
    entities.forget(instance.sent);
    instance.sent = lastSent(decision.commit.newEvents);
    // Only what the last episode sent is sent again after a crash: the next one must wait.
    await entities.insist(instance.sent);
    return 0;
  }

  function forget(instance: LiveInstance): void {
    for (const cancel of instance.timers.values()) cancel();
    if (isCurrent(instance)) live.delete(instance.head.instanceId);
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
    forget(instance);
    const { parent } = commit.head;
    if (parent !== null) post(parent.instanceId, childAnswer(parent, commit.head));
  }

  async function send(instanceId: string, event: EventBody): Promise<'added' | 'absent' | 'finished'> {
    // An instance that is just being stored must not miss the event.
    await creating.get(instanceId);
    await recovery.settled(instanceId);
    const messageId = newMessageId();
    const result = await store.addMessage(instanceId, { messageId, event });
    if (result === 'added') post(instanceId, { event, messageId });
    return result;
  }

  return {
    recover: () => recovery.begin(),
    rewind: (instanceId, reason) => rewindInstance({ store, recovery }, instanceId, reason),
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
