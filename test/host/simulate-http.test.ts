import { describe, expect, test } from 'vitest';
import type { HttpRequest } from '../../local/durable/call-http.ts';
import type { EventBody } from '../../local/durable/history.ts';
import { act, after, had, replay } from './simulation.ts';

const running = { kind: 'running' };
const uri = 'http://one/start';
const http = 'BuiltIn::HttpActivity';
const plain: HttpRequest = { method: 'POST', uri, content: '{}', asynchronousPatternEnabled: false };
const headers = { accept: 'text/plain', 'X-Functions-Key': 'secret' };
const polling: HttpRequest = { method: 'POST', uri, headers, asynchronousPatternEnabled: true };

const sends = (id: number, request: object) => ({ kind: 'activity', id, name: http, input: JSON.stringify(request) });
const activity = (id: number, name: string) => ({ kind: 'activity', id, name, input: null });
const poll = { method: 'GET', uri: 'http://one/status', headers: { accept: 'text/plain' } };
const accepted = (more: object = { 'retry-after': '2' }) => ({
  ...{ statusCode: 202, content: '' },
  headers: { location: 'http://one/status', ...more },
});
const operationsOf = (request: HttpRequest, events: readonly EventBody[]) => {
  const { operations, outcome } = replay([act.http(request), act.activity('a')], events);
  expect(outcome).toEqual(running);
  return operations;
};
const asked = had.activity(0, http);
const pause = [asked, had.doneWith(0, accepted())];
const again = [...pause, had.timer(1), had.fired(1)];

describe('a request', () => {
  test('is an activity', () => {
    expect(operationsOf(plain, [])).toEqual([sends(0, plain)]);
    expect(operationsOf(plain, [asked, had.doneWith(0, { statusCode: 500, headers: {}, content: '' })])).toEqual([
      activity(1, 'a'),
    ]);
    expect(operationsOf(plain, [asked, had.failed(0)])).toEqual([activity(1, 'a')]);
  });

  test('without polling ends with 202', () => {
    expect(operationsOf(plain, [asked, had.doneWith(0, accepted())])).toEqual([activity(1, 'a')]);
  });
});

describe('a request that polls', () => {
  test('waits as long as it is told, 30 s when it is not', () => {
    expect(operationsOf(polling, pause)).toEqual([{ kind: 'timer', id: 1, fireAt: after(2000) }]);
    expect(operationsOf(polling, [asked, had.doneWith(0, accepted({}))])).toEqual([
      { kind: 'timer', id: 1, fireAt: after(30_000) },
    ]);
  });

  test('asks the location then, without the key of the function', () => {
    expect(operationsOf(polling, again)).toEqual([sends(2, { ...poll, asynchronousPatternEnabled: true })]);
  });

  test('goes on while it is 202 and ends with anything else', () => {
    const second = [...again, had.activity(2, http)];
    expect(operationsOf(polling, [...second, had.doneWith(2, accepted())])).toEqual([
      { kind: 'timer', id: 3, fireAt: after(2000) },
    ]);
    const last = { statusCode: 200, headers: {}, content: 'ok' };
    expect(operationsOf(polling, [...second, had.doneWith(2, last)])).toEqual([activity(3, 'a')]);
    expect(operationsOf(polling, [...second, had.failed(2)])).toEqual([activity(3, 'a')]);
  });

  test('ends with a 202 that names no location', () => {
    const nowhere = { statusCode: 202, headers: {}, content: '' };
    expect(operationsOf(polling, [asked, had.doneWith(0, nowhere)])).toEqual([activity(1, 'a')]);
  });
});

describe('fails', () => {
  const single: [string, HttpRequest, EventBody[], string][] = [
    ['with a token source', { ...plain, tokenSource: { kind: 'AzureManagedIdentity' } }, [], 'tokenSource'],
    [
      'on a relative location',
      polling,
      [asked, had.doneWith(0, { ...accepted(), headers: { location: '/status' } })],
      "cannot poll '/status'",
    ],
    ['on a date to retry after', polling, [asked, had.doneWith(0, accepted({ 'retry-after': 'Mon' }))], "'Mon'"],
  ];
  test.each(single)('%s', (_name, request, events, text) => {
    expect(replay([act.http(request)], events).outcome).toMatchObject({
      kind: 'failed',
      reason: expect.stringContaining(text) as string,
    });
  });

  test('where polling beside other tasks would mix up the ids', () => {
    const actions = [act.all(act.http(polling), act.retried('flaky', 2))];
    const first = [asked, had.activity(1, 'flaky'), had.doneWith(0, accepted()), had.timer(2)];
    expect(replay(actions, first).outcome).toEqual(running);
    expect(replay(actions, [...first, had.failed(1)]).outcome).toMatchObject({
      kind: 'failed',
      reason: expect.stringContaining('another task was scheduled while a callHttp was polling') as string,
    });
  });
});
