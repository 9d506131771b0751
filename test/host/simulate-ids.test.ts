import { describe, expect, test } from 'vitest';
import type { EventBody } from '../../local/durable/history.ts';
import type { Action } from '../../local/durable/protocol.ts';
import { act, after, had, replay, time } from './simulation.ts';

const running = { kind: 'running' };
const activity = (id: number, name: string, input: string | null = null) => ({ kind: 'activity', id, name, input });
const attempt = (id: number) => activity(id, 'flaky', '{}');
const timer = (id: number, fireAt = time) => ({ kind: 'timer', id, fireAt });
interface Case {
  readonly name: string;
  readonly actions: readonly Action[];
  readonly events: readonly EventBody[];
  /** What the replay schedules beyond the history. */
  readonly operations: readonly object[];
}

function table(cases: readonly Case[]): void {
  test.each(cases)('$name', ({ actions, events, operations }) => {
    expect(replay(actions, events)).toEqual({ operations, canceledTimers: [], outcome: running });
  });
}

const sequence = [act.activity('a', { x: 1 }), act.activity('b', 'text')];
describe('one after the other', () => {
  table([
    { name: 'the first at the start', actions: sequence, events: [], operations: [activity(0, 'a', '{"x":1}')] },
    { name: 'nothing while it runs', actions: sequence, events: [had.activity(0, 'a')], operations: [] },
    {
      name: 'the second once the first has ended',
      actions: sequence,
      events: [had.activity(0, 'a'), had.done(0)],
      operations: [activity(1, 'b', '"text"')],
    },
    {
      name: 'also when it has failed',
      actions: sequence,
      events: [had.activity(0, 'a'), had.failed(0)],
      operations: [activity(1, 'b', '"text"')],
    },
    {
      name: 'a second answer counts for nothing',
      actions: [...sequence, act.activity('c')],
      events: [had.activity(0, 'a'), had.done(0), had.done(0), had.activity(1, 'b')],
      operations: [],
    },
  ]);
});

const mixed = [act.all(act.retried('flaky', 3, { backoffCoefficient: 3 }), act.activity('a')), act.activity('b')];
const begun = [had.activity(0, 'flaky'), had.activity(1, 'a')];
describe('retries beside other tasks, then another yield', () => {
  table([
    { name: 'all children at once', actions: mixed, events: [], operations: [attempt(0), activity(1, 'a')] },
    {
      name: 'a failure costs a timer',
      actions: mixed,
      events: [...begun, had.done(1), had.failed(0)],
      operations: [timer(2, after(100))],
    },
    {
      name: 'the timer brings the next attempt',
      actions: mixed,
      events: [...begun, had.failed(0), had.timer(2), had.done(1), had.fired(2)],
      operations: [attempt(3)],
    },
    {
      name: 'the delay grows',
      actions: mixed,
      events: [...begun, had.failed(0), had.timer(2), had.fired(2), had.activity(3, 'flaky'), had.failed(3)],
      operations: [timer(4, after(300))],
    },
    {
      name: 'success goes on with the next id',
      actions: mixed,
      events: [...begun, had.failed(0), had.timer(2), had.fired(2), had.activity(3, 'flaky'), had.done(3), had.done(1)],
      operations: [activity(4, 'b')],
    },
  ]);
});

describe('the last failed attempt', () => {
  const actions = [act.retried('flaky', 2), act.activity('b')];
  const events = [
    had.activity(0, 'flaky'),
    had.failed(0),
    had.timer(1),
    had.fired(1),
    had.activity(2, 'flaky'),
    had.failed(2),
  ];
  table([
    { name: 'still costs a timer, due at once', actions, events, operations: [timer(3)] },
    {
      name: 'ends the wait when that timer fires',
      actions,
      events: [...events, had.timer(3), had.fired(3)],
      operations: [activity(4, 'b')],
    },
    {
      name: 'of one attempt is the first',
      actions: [act.retried('flaky', 1), act.activity('b')],
      events: [had.activity(0, 'flaky'), had.failed(0)],
      operations: [timer(1)],
    },
    {
      name: 'of a sub-orchestration: every attempt has an id of its own',
      actions: [act.retriedChild('lane', 2)],
      events: [had.child(0, 'lane'), had.childFailed(0), had.timer(1), had.fired(1)],
      operations: [
        { kind: 'subOrchestration', id: 2, name: 'lane', instanceId: 'e:2', version: '7', input: '{"c":1}' },
      ],
    },
    {
      name: 'the delay has a longest',
      actions: [act.retried('flaky', 2, { maxRetryIntervalInMilliseconds: 40 })],
      events: [had.activity(0, 'flaky'), had.failed(0)],
      operations: [timer(1, after(40))],
    },
  ]);
});

describe('compounds', () => {
  const nested = [
    act.all(act.activity('a'), act.any(act.activity('b'), act.timer(after(50))), act.activity('c')),
    act.activity('a'),
  ];
  const children = [had.activity(0, 'a'), had.activity(1, 'b'), had.timer(2), had.activity(3, 'c')];
  table([
    {
      name: 'number their leaves depth first',
      actions: nested,
      events: [],
      operations: [activity(0, 'a'), activity(1, 'b'), timer(2, after(50)), activity(3, 'c')],
    },
    { name: 'wait for all', actions: nested, events: [...children, had.done(0), had.fired(2)], operations: [] },
    {
      name: 'wait for any within all',
      actions: nested,
      events: [...children, had.done(3), had.done(0), had.fired(2)],
      operations: [activity(4, 'a')],
    },
    {
      name: 'an all that has failed ends with its last child',
      actions: [act.all(act.activity('a'), act.activity('b')), act.activity('c')],
      events: [had.activity(0, 'a'), had.activity(1, 'b'), had.failed(0)],
      operations: [],
    },
    {
      name: 'the loser of an any may end later',
      actions: [act.any(act.activity('a'), act.activity('b')), act.activity('c')],
      events: [had.activity(0, 'a'), had.activity(1, 'b'), had.done(1), had.activity(2, 'c'), had.done(0)],
      operations: [],
    },
  ]);
});

describe('timers and events', () => {
  const limit = (isCanceled: boolean) => [
    act.any(act.activity('a'), act.timer(after(50), isCanceled)),
    act.activity('b'),
  ];
  test('a timer given up keeps its id and keeps nothing waiting', () => {
    const events = [had.activity(0, 'a'), had.timer(1), had.done(0)];
    expect(replay(limit(true), events)).toEqual({
      operations: [activity(2, 'b')],
      canceledTimers: [1],
      outcome: running,
    });
    expect(replay(limit(false), events)).toEqual({
      operations: [activity(2, 'b')],
      canceledTimers: [],
      outcome: running,
    });
  });

  const twice = [act.event('go'), act.event('go'), act.activity('a')];
  table([
    {
      name: 'an event costs no id',
      actions: twice,
      events: [had.raised('go'), had.raised('go')],
      operations: [activity(0, 'a')],
    },
    { name: 'each wait takes one event', actions: twice, events: [had.raised('go')], operations: [] },
    {
      name: 'names are told apart by case',
      actions: twice,
      events: [had.raised('Go'), had.raised('GO')],
      operations: [],
    },
    {
      name: 'an early event is kept for its wait',
      actions: [act.activity('a'), act.event('go'), act.activity('b')],
      events: [had.raised('go'), had.activity(0, 'a'), had.done(0)],
      operations: [activity(1, 'b')],
    },
  ]);
});
