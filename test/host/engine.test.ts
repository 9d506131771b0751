import { expect, test } from 'vitest';
import { z } from 'zod';
import { chaosFrom } from '../../local/durable/chaos.ts';
import { createEngine, type DurableEngine } from '../../local/durable/engine.ts';
import { decodeReturned } from '../../local/durable/protocol.ts';
import type { FunctionRunner } from '../../local/durable/runner.ts';
import { createMemoryStore } from '../../local/durable/memory-store.ts';
import type { InstanceStore } from '../../local/durable/store.ts';
import type { Log } from '../../local/log.ts';

const turnSchema = z.object({ input: z.number(), history: z.array(z.object({ EventType: z.number() })) });

/** A scripted orchestrator: one Task.all of as many activities as its input says, then the end. */
const fanOut: FunctionRunner = {
  activities: ['work'],
  orchestrators: ['fanOut'],
  entities: [],
  async runOrchestrator(_name, text) {
    const turn = turnSchema.parse(JSON.parse(text));
    const ended = turn.history.filter(({ EventType }) => EventType === 5 || EventType === 6).length;
    const compoundActions = Array.from({ length: turn.input }, () => ({ actionType: 0, functionName: 'work' }));
    const actions = [[{ actionType: 12, compoundActions }]];
    return { state: decodeReturned(JSON.stringify({ isDone: ended >= turn.input, actions, output: ended })) };
  },
  async runActivity() {
    return { ok: true, result: null };
  },
  async runEntity(name) {
    return { ok: false, message: `There is no function '${name}'.`, stack: '' };
  },
};

interface Rig {
  readonly engine: DurableEngine;
  readonly store: InstanceStore;
  readonly errors: string[];
}

function rig(faults: { store?: Partial<InstanceStore>; runner?: Partial<FunctionRunner> }): Rig {
  const errors: string[] = [];
  const quiet = (): void => undefined;
  const log: Log = { info: quiet, warn: quiet, error: (line) => errors.push(line), execution: quiet, app: quiet };
  const store = { ...createMemoryStore(), ...faults.store };
  const limits = { maxConcurrentActivities: 8, maxConcurrentOrchestrators: 8, defaultVersion: '1' };
  const engine = createEngine({ store, runner: { ...fanOut, ...faults.runner }, log, chaos: chaosFrom({}), ...limits });
  return { engine, store, errors };
}

async function run({ engine, store }: Rig, count: number): Promise<object | undefined> {
  await engine.start({ name: 'fanOut', instanceId: 'i', input: String(count) });
  await expect.poll(async () => (await store.readHead('i'))?.status, { timeout: 25_000 }).toBe('Completed');
  engine.stop();
  const stored = await store.read('i');
  return stored && { output: stored.head.output, kinds: stored.history.map(({ EventType }) => EventType) };
}

/** Rejects once at the given call, else does what it stands for. */
function failingOnce<A extends unknown[], R>(
  call: number,
  real: (...args: A) => Promise<R>,
): (...args: A) => Promise<R> {
  let calls = 0;
  return async (...args) => {
    calls += 1;
    if (calls === call) throw new Error('a fault');
    return real(...args);
  };
}

const wholeRun = { output: '2', kinds: [12, 0, 4, 4, 13, 12, 5, 5, 1, 13] };
const repeated = ["The instance 'i' could not go on; the episode is repeated."];

test.each([1, 2])('a commit that fails (number %i) is tried again, and nothing is lost or done twice', async (call) => {
  const store = createMemoryStore();
  const faulty = rig({ store: { ...store, commit: failingOnce(call, store.commit) } });
  expect(await run(faulty, 2)).toEqual(wholeRun);
  expect(faulty.errors).toEqual(repeated);
});

test.each([1, 2])('an orchestrator that could not be run (turn %i) is run again', async (call) => {
  const faulty = rig({ runner: { runOrchestrator: failingOnce(call, fanOut.runOrchestrator) } });
  expect(await run(faulty, 2)).toEqual(wholeRun);
  expect(faulty.errors).toEqual(repeated);
});

test('an activity that could not be run has failed, and the orchestration goes on', async () => {
  const faulty = rig({ runner: { runActivity: failingOnce(1, fanOut.runActivity) } });
  expect(await run(faulty, 2)).toEqual({ output: '2', kinds: [12, 0, 4, 4, 13, 12, 6, 5, 1, 13] });
  expect(faulty.errors).toEqual(["The activity 'work' of 'i' could not be run."]);
});

test('a start that cannot be stored is refused, and the id stays free', async () => {
  const store = createMemoryStore();
  const faulty = rig({ store: { ...store, create: failingOnce(1, store.create) } });
  await expect(faulty.engine.start({ name: 'fanOut', instanceId: 'i', input: '2' })).rejects.toThrow('a fault');
  expect(await faulty.engine.send('i', { EventType: 15, Name: 'go', Input: null })).toBe('absent');
  expect(await run(faulty, 2)).toEqual(wholeRun);
});

test('1,000 answers are gathered into few episodes', async () => {
  let episodes = 0;
  const counted: FunctionRunner['runOrchestrator'] = (name, turn) => {
    episodes += 1;
    return fanOut.runOrchestrator(name, turn);
  };
  expect(await run(rig({ runner: { runOrchestrator: counted } }), 1000)).toMatchObject({ output: '1000' });
  expect(episodes).toBeLessThan(50);
});
