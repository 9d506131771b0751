import { describe, expect, test } from 'vitest';
import { requestIdOf } from '../../local/durable/entity-message.ts';
import type { EventBody } from '../../local/durable/history.ts';
import type { Operation } from '../../local/durable/operations.ts';
import type { Action } from '../../local/durable/protocol.ts';
import { act, had, replay } from './simulation.ts';

const running = { kind: 'running' };
const counter = '@counter@k';
const from = { parent: 'i', parentExecution: 'e' };
const sends = (id: number, request: { op: string; input?: string; signal?: true }, target = counter): Operation => ({
  ...{ kind: 'entity', id },
  message: { target, request: { ...request, id: requestIdOf('e', id), ...from } },
});
const activity = (id: number, name: string) => ({ kind: 'activity', id, name, input: null });

interface Case {
  readonly name: string;
  readonly actions: readonly Action[];
  readonly events: readonly EventBody[];
  readonly operations: readonly object[];
}

const callFirst = [act.call(counter, 'add', 1), act.activity('a')];
const signalFirst = [
  act.signal(counter, 'add', { n: 1 }),
  act.activity('a'),
  act.signal('@COUNTER@K', 'stop'),
  act.event('go'),
];
const together = [
  act.all(act.call(counter, 'add'), act.activity('a'), act.call('@Counter@x', 'get')),
  act.activity('b'),
];
const begun = [had.sent(0, counter, {}), had.activity(1, 'a'), had.sent(2, '@counter@x', { op: 'get' })];

test.each<Case>([
  { name: 'a call', actions: callFirst, events: [], operations: [sends(0, { op: 'add', input: '1' })] },
  { name: 'a call that is sent waits', actions: callFirst, events: [had.sent(0, counter, {})], operations: [] },
  {
    name: 'a call ends with the event of its name',
    actions: callFirst,
    events: [had.sent(0, counter, {}), had.answered(0)],
    operations: [activity(1, 'a')],
  },
  {
    name: 'and with no other',
    actions: callFirst,
    events: [had.sent(0, counter, {}), had.answered(1), had.raised('op')],
    operations: [],
  },
  {
    name: 'a signal takes an id and waits for nothing',
    actions: signalFirst,
    events: [],
    operations: [sends(0, { op: 'add', signal: true, input: '{"n":1}' }), activity(1, 'a')],
  },
  {
    name: 'the name of an entity is written small, its key stays',
    actions: signalFirst,
    events: [had.sent(0, counter, { signal: true }), had.activity(1, 'a'), had.done(1)],
    operations: [sends(2, { op: 'stop', signal: true }, '@counter@K')],
  },
  {
    name: 'calls and activities count together',
    actions: together,
    events: [],
    operations: [sends(0, { op: 'add' }), activity(1, 'a'), sends(2, { op: 'get' }, '@counter@x')],
  },
  {
    name: 'all must end',
    actions: together,
    events: [...begun, had.answered(2), had.done(1)],
    operations: [],
  },
  {
    name: 'in any order',
    actions: together,
    events: [...begun, had.answered(2), had.done(1), had.answered(0)],
    operations: [activity(3, 'b')],
  },
])('$name', ({ actions, events, operations }) => {
  expect(replay(actions, events)).toEqual({ operations, canceledTimers: [], outcome: running });
});

test('10,000 signals in a row', () => {
  const { operations, outcome } = replay(
    Array.from({ length: 10_000 }, () => act.signal(counter, 'add', 1)),
    [],
    { isDone: true },
  );
  expect(operations.map(({ id }) => id)).toEqual(Array.from({ length: 10_000 }, (_, id) => id));
  expect(outcome).toEqual({ kind: 'completed', output: null });
});

describe('fails', () => {
  const cases: [string, Action, EventBody[], string][] = [
    [
      'on an unknown entity',
      act.call('@nobody@k', 'add'),
      [],
      "The function 'nobody' doesn't exist, is disabled, or is not an entity function. Additional info: The following are the known entity functions: 'Counter'.",
    ],
    ['on an id that is no entity', act.signal('nobody', 'add'), [], "'nobody' is not the id of an entity."],
    [
      'where the history has another operation',
      act.call(counter, 'get'),
      [had.sent(0, counter, {})],
      `Non-Deterministic workflow detected: the history has call of 'add' to the entity '${counter}' at id 0, this replay has call of 'get' to the entity '${counter}'.`,
    ],
    [
      'where the history has a signal',
      act.call(counter, 'add'),
      [had.sent(0, counter, { signal: true })],
      `Non-Deterministic workflow detected: the history has signal of 'add' to the entity '${counter}' at id 0, this replay has call of 'add' to the entity '${counter}'.`,
    ],
  ];
  test.each(cases)('%s', (_name, action, events, reason) => {
    expect(replay([action], events).outcome).toEqual({
      kind: 'failed',
      reason: `Orchestrator function 'o' failed: ${reason}`,
    });
  });
});
