import { describe, expect, test } from 'vitest';
import { EventType } from '../../local/durable/history.ts';
import { activityInputText, decodeReturned, decodeThrown, encodeTurn, toJson } from '../../local/durable/protocol.ts';

const label = '\n\n$OutOfProcData$:';
const at = '2026-01-01T00:00:00.000Z';

describe('what an orchestrator returned', () => {
  // A message of durable-functions 3.5.0, whole.
  const actions = [
    {
      actionType: 12,
      compoundActions: [
        {
          actionType: 1,
          functionName: 'flaky',
          retryOptions: { firstRetryIntervalInMilliseconds: 30, maxNumberOfAttempts: 5, backoffCoefficient: 2 },
          input: '"str"',
        },
        { actionType: 2, functionName: 'child', instanceId: 'sub1', input: { a: 1 } },
        {
          actionType: 11,
          compoundActions: [
            { actionType: 6, externalEventName: 'go' },
            { actionType: 5, fireAt: '2026-11-21T02:20:29.745Z', isCanceled: false },
          ],
        },
      ],
    },
    { actionType: 0, functionName: 'noInput' },
    { actionType: 4, input: null },
  ];

  test('actions of every depth, in yield order', () => {
    expect(decodeReturned(JSON.stringify({ isDone: false, actions: [actions], schemaVersion: 2 }))).toEqual({
      ...{ isDone: false, actions, output: null, threw: false },
    });
  });

  test.each([
    ['no output', {}, null],
    ['null', { output: null }, 'null'],
    ['false', { output: false }, 'false'],
    ['an empty text', { output: '' }, '""'],
    ['an object', { output: { g: 7 } }, '{"g":7}'],
  ])('%s', (_name, more, output) => {
    const json = JSON.stringify({ isDone: true, actions: [[]], schemaVersion: 2, ...more });
    expect(decodeReturned(json)).toEqual({ isDone: true, actions: [], output, threw: false });
  });

  test('a custom status is JSON text, absent when none was sent', () => {
    const json = JSON.stringify({ isDone: false, actions: [[]], customStatus: 'half' });
    expect(decodeReturned(json)).toMatchObject({ customStatus: '"half"' });
    expect(decodeReturned('{"isDone":false,"actions":[[]]}')).not.toHaveProperty('customStatus');
  });

  test.each([
    ['null', 'null'],
    ['no actions', '{"isDone":true}'],
    ['an unknown action', '{"isDone":true,"actions":[[{"actionType":99}]]}'],
    ['a timer without a time', '{"isDone":true,"actions":[[{"actionType":5,"fireAt":null,"isCanceled":false}]]}'],
  ])('%s is not the SDK’s answer', (_name, json) => {
    expect(() => decodeReturned(json)).toThrow();
  });
});

describe('what an orchestrator threw', () => {
  test.each([
    [
      'the state with its error',
      `false${label}{"isDone":false,"error":"final","actions":[[{"actionType":0,"functionName":"a"}]],"customStatus":"cs"}`,
      {
        ...{ isDone: false, actions: [{ actionType: 0, functionName: 'a' }], output: null, error: 'final' },
        ...{ customStatus: '"cs"', threw: true },
      },
    ],
    [
      'a state without an error: nobody ever hears of it',
      `false${label}{"isDone":false,"actions":[[]],"schemaVersion":2}`,
      { isDone: false, actions: [], output: null, threw: true },
    ],
    [
      'an error from outside of the replay',
      'no such thing',
      { isDone: false, actions: [], output: null, error: 'no such thing', threw: true },
    ],
    [
      'a state that cannot be read fails the instance instead of hanging it',
      `false${label}{"isDone":`,
      {
        ...{ isDone: false, actions: [], output: null, threw: true },
        error: expect.stringMatching(/^the state that it threw cannot be read: /) as string,
      },
    ],
  ])('%s', (_name, message, state) => {
    expect(decodeThrown(message)).toEqual(state);
  });
});

describe('what an orchestrator receives', () => {
  const history = [
    { EventType: EventType.orchestratorStarted, Timestamp: at },
    { EventType: EventType.taskScheduled, EventId: 4, Name: 'a', Input: '{}', Timestamp: at },
    { EventType: EventType.taskCompleted, TaskScheduledId: 4, Result: '1', Timestamp: at },
  ];

  test('the history with what was played before', () => {
    const text = encodeTurn({ instanceId: 'i', parentInstanceId: 'p', input: '{"n":1}', history, played: 2 });
    expect(JSON.parse(text)).toEqual({
      history: [
        { ...history[0], EventId: -1, IsPlayed: true },
        { ...history[1], EventId: 4, IsPlayed: true },
        { ...history[2], EventId: -1, IsPlayed: false },
      ],
      ...{ input: { n: 1 }, instanceId: 'i', parentInstanceId: 'p', isReplaying: true },
      ...{ upperSchemaVersion: 1, upperSchemaVersionNew: 2, defaultHttpAsyncRequestSleepTimeMillseconds: 30_000 },
      longRunningTimerIntervalDuration: '3650.00:00:00',
      maximumShortTimerDuration: '3650.00:00:00',
    });
  });

  test('the first turn, without input or parent', () => {
    const text = encodeTurn({ instanceId: 'i', parentInstanceId: null, input: null, history, played: 0 });
    expect(JSON.parse(text)).toMatchObject({ input: null, parentInstanceId: null, isReplaying: false });
  });
});

describe('the text that an activity receives', () => {
  test.each([
    [null, undefined],
    ['null', undefined],
    ['"text"', 'text'],
    ['"\\"123\\""', '"123"'],
    ['true', 'True'],
    ['false', 'False'],
    ['3', '3'],
    ['{"a":true}', '{"a":true}'],
    ['[1]', '[1]'],
  ])('%s becomes %s', (input, text) => {
    expect(activityInputText(input)).toBe(text);
  });
});

test.each([
  [undefined, null],
  [null, 'null'],
  ['', '""'],
  [{ a: undefined, b: new Date(at) }, `{"b":"${at}"}`],
])('%j is the text %s', (value, text) => {
  expect(toJson(value)).toBe(text);
});
