import { afterEach, expect, test } from 'vitest';
import { z } from 'zod';
import { memoryOf } from '../../local/durable/entity-memory.ts';
import type { EntityMessage } from '../../local/durable/entity-message.ts';
import { createEntityScheduler, type EntityScheduler } from '../../local/durable/entity-scheduler.ts';
import type { EventBody } from '../../local/durable/history.ts';
import type { FunctionRunner } from '../../local/durable/runner.ts';
import { createMemoryStore } from '../../local/durable/memory-store.ts';
import type { InstanceStore } from '../../local/durable/store.ts';
import type { Log } from '../../local/log.ts';

const batchSchema = z.object({
  state: z.string().nullable(),
  batch: z.array(z.object({ name: z.string(), input: z.string().nullable() })),
});

/** An entity that adds up its inputs, and passes each on to "@sum@next" where the operation is "pass". */
const summing: Pick<FunctionRunner, 'runEntity'> = {
  async runEntity(_name, text) {
    const { state, batch } = batchSchema.parse(JSON.parse(text));
    let sum = Number(state ?? 0);
    const results = batch.map(({ input }) => {
      sum += Number(input);
      return { isError: false, result: String(sum) };
    });
    const signals = batch
      .filter(({ name }) => name === 'pass')
      .map(({ input }) => ({ target: { name: 'Sum', key: 'next' }, name: 'add', input }));
    return { ok: true, result: JSON.stringify({ results, signals, entityExists: true, entityState: String(sum) }) };
  },
};

const running: EntityScheduler[] = [];
afterEach(() => {
  for (const scheduler of running.splice(0)) scheduler.stop();
});

function rig(
  store: InstanceStore,
  answer: (event: EventBody) => Promise<void> = async () => undefined,
  runner = summing,
) {
  const errors: string[] = [];
  const quiet = (): void => undefined;
  const log: Log = { info: quiet, warn: quiet, error: (line) => errors.push(line), execution: quiet, app: quiet };
  const answers: EventBody[] = [];
  const scheduler = createEntityScheduler({
    ...{ store, runner, log },
    answer: async (_instanceId, event) => {
      await answer(event);
      answers.push(event);
    },
  });
  running.push(scheduler);
  return { scheduler, answers, errors };
}

const signal = (id: string, input: number, op = 'add'): EntityMessage => ({
  target: '@sum@k',
  request: { op, signal: true, input: String(input), id, parent: 'orchestration' },
});
const call = (id: string, input: number): EntityMessage => ({
  target: '@sum@k',
  request: { op: 'add', input: String(input), id, parent: 'orchestration' },
});
const answered = (Name: string, result: number) => ({ EventType: 15, Name, Input: `{"result":"${result}"}` });

/** What is stored of an entity once nothing waits there. */
async function settled(store: InstanceStore, key = 'k') {
  const stored = await store.read(`@sum@${key}`);
  if (stored === undefined) return undefined;
  const { state, applied, outbox } = memoryOf(stored.head);
  return { state, applied, waiting: stored.messages.length + outbox.answers.length + outbox.signals.length };
}

/** Rejects at the first call that a test selects, else does what it stands for. */
function failingOnce<A extends unknown[], R>(
  real: (...args: A) => Promise<R>,
  selected: (...args: A) => boolean,
): (...args: A) => Promise<R> {
  let failed = false;
  return async (...args) => {
    if (!failed && selected(...args)) {
      failed = true;
      throw new Error('a fault');
    }
    return real(...args);
  };
}

test('a request that is delivered again counts once, until its sender will never send it again', async () => {
  const store = createMemoryStore();
  const { scheduler } = rig(store);
  await scheduler.deliver([signal('one', 1), signal('one', 1), signal('two', 2)]);
  await expect.poll(() => settled(store)).toEqual({ state: '3', applied: ['one', 'two'], waiting: 0 });
  await scheduler.deliver([signal('two', 2)]);
  scheduler.forget([signal('one', 1)]);
  await scheduler.deliver([signal('three', 3)]);
  await expect.poll(() => settled(store)).toEqual({ state: '6', applied: ['two', 'three'], waiting: 0 });
});

test('a repeat that waits behind a running batch counts for nothing, though its sender is done', async () => {
  const store = createMemoryStore();
  const gate = Promise.withResolvers<void>();
  const gated: typeof summing = {
    async runEntity(name, batch) {
      await gate.promise;
      return summing.runEntity(name, batch);
    },
  };
  const { scheduler } = rig(store, undefined, gated);
  await scheduler.deliver([signal('one', 1)]);
  await scheduler.deliver([signal('one', 1)]);
  scheduler.forget([signal('one', 1)]);
  gate.resolve();
  await expect.poll(() => settled(store)).toMatchObject({ state: '1', waiting: 0 });
});

test('a batch whose commit fails is run again, and leaves one change, one answer and one signal', async () => {
  const store = createMemoryStore();
  const commit = failingOnce(store.commit, ({ consumed }) => consumed.length > 0);
  const { scheduler, answers, errors } = rig({ ...store, commit });
  await scheduler.deliver([call('asked', 2), signal('passed', 3, 'pass')]);
  await expect.poll(() => settled(store), { timeout: 25_000 }).toMatchObject({ state: '5', waiting: 0 });
  await expect.poll(() => settled(store, 'next')).toMatchObject({ state: '3', waiting: 0 });
  expect(answers).toEqual([answered('asked', 2)]);
  expect(errors).toEqual(["The entity '@sum@k' could not go on; the batch is repeated."]);
});

test('an answer that cannot be delivered is sent again, and the operations behind it wait', async () => {
  const store = createMemoryStore();
  const answer = failingOnce(
    async () => undefined,
    () => true,
  );
  const { scheduler, answers } = rig(store, answer);
  await scheduler.deliver([call('first', 1)]);
  await scheduler.deliver([call('second', 1)]);
  await expect.poll(() => answers, { timeout: 25_000 }).toEqual([answered('first', 1), answered('second', 2)]);
  await expect.poll(() => settled(store)).toMatchObject({ state: '2', waiting: 0 });
});

test('a signal of a client that cannot be stored is refused', async () => {
  const store = createMemoryStore();
  const addMessage = failingOnce(store.addMessage, () => true);
  const { scheduler } = rig({ ...store, addMessage });
  const ofClient = (id: string, input: number) => ({
    target: '@sum@k',
    request: { op: 'add', signal: true, input: String(input), id },
  });
  await expect(scheduler.deliver([ofClient('lost', 1)])).rejects.toThrow('a fault');
  await scheduler.deliver([ofClient('kept', 2)]);
  await expect.poll(() => settled(store)).toEqual({ state: '2', applied: [], waiting: 0 });
});

test.each(['before', 'after'])(
  'a request of an instance whose storing fails %s it is done is sent again, and counts once',
  async (moment) => {
    const store = createMemoryStore();
    const fail = failingOnce(
      async () => undefined,
      () => true,
    );
    const addMessage: InstanceStore['addMessage'] = async (instanceId, message) => {
      if (moment === 'before') await fail();
      const added = await store.addMessage(instanceId, message);
      if (moment === 'after') await fail();
      return added;
    };
    const { scheduler, errors } = rig({ ...store, addMessage });
    await scheduler.insist([signal('one', 1)]);
    expect(errors).toEqual(["What 'orchestration' sends to entities could not be stored; it is tried again."]);
    scheduler.forget([signal('one', 1)]);
    await scheduler.deliver([signal('two', 2)]);
    await expect.poll(() => settled(store)).toMatchObject({ state: '3', waiting: 0 });
  },
);

test('what an earlier host has stored is applied and sent by the next', async () => {
  const store = createMemoryStore();
  // The first host ends after its commit: nothing that it decided has gone out.
  const first = rig(store, () => new Promise<void>(() => undefined));
  await first.scheduler.deliver([call('asked', 1), signal('passed', 2, 'pass')]);
  await expect.poll(() => settled(store)).toMatchObject({ state: '3', waiting: 2 });
  await first.scheduler.deliver([signal('late', 4)]);
  first.scheduler.stop();
  expect(await settled(store, 'next')).toBeUndefined();

  const second = rig(store);
  const stored = await store.read('@sum@k');
  if (stored === undefined) throw new Error('nothing is stored');
  second.scheduler.recover(stored);
  await expect.poll(() => settled(store)).toMatchObject({ state: '7', waiting: 0 });
  await expect.poll(() => settled(store, 'next')).toMatchObject({ state: '2', waiting: 0 });
  expect(second.answers).toEqual([answered('asked', 1)]);
});

test('a message that is no operation is dropped', async () => {
  const store = createMemoryStore();
  const { scheduler } = rig(store);
  await scheduler.deliver([signal('one', 1)]);
  await expect.poll(() => settled(store)).toMatchObject({ waiting: 0 });
  scheduler.stop();
  await store.addMessage('@sum@k', { messageId: 'm1', event: { EventType: 15, Name: 'op', Input: '{"op":1}' } });
  await store.addMessage('@sum@k', { messageId: 'm2', event: { EventType: 3, Input: 'terminate' } });
  const next = rig(store);
  const stored = await store.read('@sum@k');
  if (stored === undefined) throw new Error('nothing is stored');
  next.scheduler.recover(stored);
  await expect.poll(() => settled(store)).toMatchObject({ state: '1', waiting: 0 });
});
