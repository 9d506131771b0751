import { describe, expect, test } from 'vitest';
import type { EventBody } from '../../local/durable/history.ts';
import { ActionType, type Action, type OrchestratorState } from '../../local/durable/protocol.ts';
import { act, had, replay, time } from './simulation.ts';

const running = { kind: 'running' };
const fails = (reason: string) => ({
  operations: [],
  canceledTimers: [],
  outcome: { kind: 'failed', reason: `Orchestrator function 'o' failed: ${reason}` },
});

describe('the end counts only when the list has been replayed', () => {
  const both = [act.all(act.activity('a'), act.activity('b'))];
  const one = [had.activity(0, 'a'), had.activity(1, 'b'), had.failed(0)];
  const ends: [string, Partial<OrchestratorState>, object][] = [
    ['isDone', { isDone: true, output: '1' }, { kind: 'completed', output: '1' }],
    ['error', { error: 'bad', threw: true }, { kind: 'failed', reason: "Orchestrator function 'o' failed: bad" }],
    ['a throw without text', { threw: true }, running],
  ];
  test.each(ends)('%s', (_name, state, outcome) => {
    expect(replay(both, one, state)).toEqual({ operations: [], canceledTimers: [], outcome: running });
    expect(replay(both, [...one, had.done(1)], state)).toEqual({ operations: [], canceledTimers: [], outcome });
  });

  test('of an orchestrator without a yield, at once', () => {
    expect(replay([], [], { isDone: true }).outcome).toEqual({ kind: 'completed', output: null });
  });

  test('continueAsNew after the rest', () => {
    const actions = [act.activity('a'), act.again({ n: 2 })];
    const state = { isDone: true };
    expect(replay(actions, [had.activity(0, 'a')], state).outcome).toEqual(running);
    const outcome = { kind: 'continueAsNew', input: '{"n":2}' };
    expect(replay(actions, [had.activity(0, 'a'), had.done(0)], state).outcome).toEqual(outcome);
  });

  test('an event that nobody waited for is no end', () => {
    const reason =
      'it waits again for a task of an earlier yield (an event or a cancelled timer). A task must be yielded once';
    expect(replay([], [had.raised('go')]).outcome).toEqual({
      kind: 'failed',
      reason: expect.stringContaining(reason) as string,
    });
  });
});

describe('sub-orchestrations', () => {
  const child = (instanceId: string, version: string) => ({
    ...{ kind: 'subOrchestration', id: 1, name: 'lane', instanceId, version, input: '{"c":1}' },
  });
  test.each([
    ['an automatic id has the execution and the task', act.child('lane'), child('e:1', '7')],
    ['an empty id is automatic', act.child('lane', ''), child('e:1', '7')],
    ['an explicit id and version', act.child('lane', 'mine', '9'), child('mine', '9')],
  ])('%s', (_name, action, operation) => {
    const { operations } = replay([act.activity('a'), action], [had.activity(0, 'a'), had.done(0)]);
    expect(operations).toEqual([operation]);
  });

  test.each(['i', 'p', '@entity@k'])("the id '%s' is refused", (id) => {
    expect(replay([act.child('lane', id)], [])).toEqual(
      fails(`'${id}' is not a valid id for a sub-orchestration of 'i'.`),
    );
  });
});

describe('what fails on the real host fails', () => {
  const before = 'Non-Deterministic workflow detected: the history has';
  const another: [string, Action, EventBody[], string][] = [
    ['name', act.activity('b'), [had.activity(0, 'a')], "activity 'a' at id 0, this replay has activity 'b'."],
    ['kind', act.timer(time), [had.activity(0, 'a')], "activity 'a' at id 0, this replay has a timer."],
    [
      'place',
      act.activity('a'),
      [had.child(0, 'lane')],
      "sub-orchestration 'lane' at id 0, this replay has activity 'a'.",
    ],
    [
      'number',
      act.activity('a'),
      [had.activity(0, 'a'), had.timer(1)],
      'a timer at id 1, which this replay did not schedule.',
    ],
  ];
  test.each(another)('another %s than in the history', (_what, action, events, reason) => {
    expect(replay([action], events)).toEqual(fails(`${before} ${reason}`));
  });

  const unknown: [string, Action, string][] = [
    [
      'activity',
      act.activity('no'),
      "is not an activity function. Additional info: The following are the known activity functions: 'a', 'b', 'c', 'flaky'.",
    ],
    [
      'orchestrator',
      act.child('no'),
      "is not an orchestrator function. Additional info: The following are the known orchestrator functions: 'lane'.",
    ],
  ];
  test.each(unknown)('an unknown %s', (_kind, action, text) => {
    expect(replay([action], [])).toEqual(fails(`The function 'no' doesn't exist, is disabled, or ${text}`));
  });

  test('but names are compared without case', () => {
    expect(replay([act.all(act.activity('A'), act.child('LANE'))], []).operations).toMatchObject([
      { name: 'A' },
      { name: 'LANE' },
    ]);
  });

  test('retryTimeoutInMilliseconds', () => {
    expect(replay([act.retried('flaky', 2, { retryTimeoutInMilliseconds: 1 })], [])).toEqual(
      fails(
        'retryTimeoutInMilliseconds is not supported: on the real host the orchestration hangs when it is exceeded.',
      ),
    );
  });

  test('a task that is part of two yields', () => {
    const { outcome } = replay([act.activity('a')], [], {}, { repeatedTask: 'a' });
    expect(outcome).toMatchObject({ reason: expect.stringContaining("the task 'a' is part of two yields.") as string });
  });

  test.each([
    ['taken', ActionType.lockEntities],
    ['released', ActionType.releaseEntities],
  ] as const)('an entity lock that is %s', (_what, actionType) => {
    expect(replay([{ actionType }], [])).toEqual(
      fails('entity locks (context.df.lock) are not supported by the embedded host.'),
    );
  });
});
