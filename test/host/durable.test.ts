import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { durableClient } from './durable-client.ts';
import { startHost, type TestHost } from './start-host.ts';

let host: TestHost;
let durable: ReturnType<typeof durableClient>;

beforeAll(async () => {
  host = await startHost('durable');
  durable = durableClient(host.url);
});
afterAll(() => host.stop());

const outcome = ({ runtimeStatus, output }: { runtimeStatus: string; output: unknown }) => ({ runtimeStatus, output });

describe('fan-out', () => {
  test.each([0, 1, 300])('%i activities', async (count) => {
    const status = await durable.run('fanOut', { count });
    expect(outcome(status)).toEqual({ runtimeStatus: 'Completed', output: Array.from({ length: count }, (_, i) => i) });
  });

  test('activities see values as the real host delivers them', async () => {
    const { output } = await durable.run('values');
    expect(output).toEqual([
      { type: 'object', value: { a: 1 } },
      { type: 'object', value: [1] },
      { type: 'number', value: 3 },
      { type: 'string', value: 'text' },
      { type: 'string', value: '123' },
      { type: 'string', value: 'True' },
      { type: 'string', value: 'False' },
      { type: 'undefined', value: null },
    ]);
  });
});

describe('sub-orchestrations', () => {
  test('get automatic ids and the default version unless told otherwise', async () => {
    const response = await durable.post('orchestrators/parent?version=9', { explicit: 'my-child' });
    const { id: parent } = z.object({ id: z.string() }).parse(await response.json());
    const { output } = await durable.finished(parent);
    expect(output).toEqual([
      { instanceId: expect.stringMatching(/^[0-9a-f]{32}:0$/) as string, parent, version: '7', result: { n: 1 } },
      { instanceId: 'my-child', parent, version: '9', result: { n: 2 } },
    ]);
  });

  test('a failure reaches the parent as an error with its text', async () => {
    const { output } = await durable.run('parentOf', { name: 'thrower' });
    expect(output).toEqual({
      failed: expect.stringMatching(/^Orchestrator function 'thrower' failed: final words/) as string,
    });
  });

  test('a terminated child fails in its parent', async () => {
    const parent = await durable.start('parentOf', { name: 'forever', instanceId: 'to-terminate' });
    await durable.until(parent, ({ runtimeStatus }) => runtimeStatus === 'Running');
    expect((await durable.post('instances/to-terminate/terminate?reason=enough')).status).toBe(202);
    expect((await durable.finished(parent)).output).toEqual({ failed: expect.stringMatching(/^enough/) as string });
  });

  test('an id that is taken by a running instance fails in the parent instead of hanging', async () => {
    await durable.start('forever', undefined, 'taken');
    const { output } = await durable.run('parentOf', { name: 'child', instanceId: 'taken' });
    expect(output).toEqual({ failed: expect.stringContaining('already exists') as string });
    await durable.post('instances/taken/terminate?reason=done');
  });

  test("the parent's own id is refused", async () => {
    const parent = await durable.start('parentOf', { name: 'child', instanceId: 'own' }, 'own');
    expect(outcome(await durable.finished(parent))).toEqual({
      runtimeStatus: 'Failed',
      output: "Orchestrator function 'parentOf' failed: 'own' is not a valid id for a sub-orchestration of 'own'.",
    });
  });
});

describe('retries', () => {
  test('inside Task.all, followed by another yield, keep the ids aligned', async () => {
    const status = await durable.run('retries', { key: 'aligned' });
    expect(outcome(status)).toEqual({ runtimeStatus: 'Completed', output: [3, { b: 2 }, { c: 3 }] });
  });

  test('stop after the last attempt, and the orchestration goes on', async () => {
    const { output } = await durable.run('exhausted', { key: 'worn' });
    expect(output).toEqual({
      message: expect.stringContaining("Activity function 'flaky' failed: worn failed 3") as string,
      after: 'after',
    });
    expect((await durable.journal()).filter((entry) => entry.startsWith('worn'))).toEqual([
      'worn 1',
      'worn 2',
      'worn 3',
    ]);
  });
});

describe('timers', () => {
  test('fire when they are due', async () => {
    expect((await durable.run('timer')).output).toBe(true);
  });

  test('a time limit that wins, and one of 60 days that loses and is cancelled', async () => {
    expect((await durable.run('timeLimit', { ms: 150 })).output).toEqual(['timeout', 'timeout']);
    expect(outcome(await durable.run('timeLimit', { ms: 1 }))).toEqual({
      runtimeStatus: 'Completed',
      output: ['limited', 'limited'],
    });
  });
});

describe('messages from outside', () => {
  test('events that come before the wait are kept in order', async () => {
    const id = await durable.start('events', { ms: 60 });
    expect((await durable.post(`instances/${id}/raiseEvent/go`, { n: 1 })).status).toBe(202);
    expect((await durable.post(`instances/${id}/raiseEvent/go`)).status).toBe(202);
    expect((await durable.finished(id)).output).toEqual([{ n: 1 }, null]);
  });

  test('custom status, then terminate; a finished instance takes no more events', async () => {
    const id = await durable.start('forever');
    const waiting = await durable.until(id, ({ customStatus }) => customStatus !== null);
    expect(waiting).toMatchObject({ runtimeStatus: 'Running', customStatus: { stage: 'waiting' }, output: null });
    await durable.post(`instances/${id}/terminate?reason=why%20not`);
    expect(outcome(await durable.finished(id))).toEqual({ runtimeStatus: 'Terminated', output: 'why not' });
    expect((await durable.post(`instances/${id}/raiseEvent/never`, {})).status).toBe(410);
    expect((await durable.post(`instances/unknown/raiseEvent/never`, {})).status).toBe(404);
  });

  test('a suspended instance keeps its events until it is resumed', async () => {
    const id = await durable.start('events', { ms: 0 });
    await durable.post(`instances/${id}/suspend?reason=test`);
    await durable.until(id, ({ runtimeStatus }) => runtimeStatus === 'Suspended');
    for (const n of [1, 2]) await durable.post(`instances/${id}/raiseEvent/go`, n);
    expect((await durable.get(id)).status.runtimeStatus).toBe('Suspended');
    await durable.post(`instances/${id}/resume?reason=test`);
    expect(outcome(await durable.finished(id))).toEqual({ runtimeStatus: 'Completed', output: [1, 2] });
  });
});

describe('continueAsNew', () => {
  test('the parent of a lane hears only the last round', async () => {
    expect((await durable.run('lanes')).output).toEqual([
      [10, true],
      [60, true],
      [110, true],
    ]);
  });

  test('answers meant for the old execution are dropped', async () => {
    expect((await durable.run('restless', 0)).output).toBe('new execution');
  });
});

describe('what the real host would fail or hang on', () => {
  test.each([
    ['thrower', "Orchestrator function 'thrower' failed: final words"],
    ['unknownActivity', "The function 'missing' doesn't exist, is disabled, or is not an activity function."],
    ['window', "the task 'wait' is part of two yields. A task must be yielded once"],
    ['again', "it waits again for a task of an earlier yield (activity 'wait'). A task must be yielded once"],
    [
      'fickle',
      "Non-Deterministic workflow detected: the history has activity 'echo' at id 0, this replay has activity 'typeOf'",
    ],
  ])('%s fails with its reason', async (name, text) => {
    const status = await durable.run(name);
    expect(outcome(status)).toEqual({ runtimeStatus: 'Failed', output: expect.stringContaining(text) as string });
  });

  test.each(['throwsText', 'throwsEmpty', 'throwsObject'])('%s stays Running, with a loud warning', async (name) => {
    const id = await durable.start(name);
    await expect.poll(() => host.stderr()).toContain(`instance '${id}') threw something without text`);
    expect((await durable.get(id)).status.runtimeStatus).toBe('Running');
    await durable.post(`instances/${id}/terminate?reason=done`);
  });

  test('after a failed Task.all nothing is scheduled until every child has ended (B1)', async () => {
    expect((await durable.run('gate')).runtimeStatus).toBe('Completed');
    const journal = await durable.journal();
    expect(journal.indexOf('begin stop')).toBeGreaterThan(journal.indexOf('end sibling'));
  });

  test('after a failed Task.all a rethrow does not fail the instance until every child has ended (B1)', async () => {
    const status = await durable.run('gateRethrow');
    expect(outcome(status)).toEqual({
      runtimeStatus: 'Failed',
      output: expect.stringContaining("Activity function 'fail' failed: early") as string,
    });
    expect(await durable.journal()).toContain('end rethrow sibling');
  });
});

describe('the client library inside the app', () => {
  test('startNew without input gives "", and the version travels', async () => {
    expect(await durable.viaLibrary('start', 'context', { instanceId: 'plain' })).toEqual({ answer: 'plain' });
    expect((await durable.finished('plain')).output).toEqual({ version: '7', input: '', parent: null });
    await durable.viaLibrary('start', 'context', { instanceId: 'plain-2', input: { a: 1 }, version: '3' });
    expect((await durable.finished('plain-2')).output).toEqual({ version: '3', input: { a: 1 }, parent: null });
  });

  test('startNew replaces a finished instance and is refused on a running one', async () => {
    const first = await durable.viaLibrary('start', 'fanOut', { instanceId: 'reused', input: { count: 1 } });
    expect(first).toEqual({ answer: 'reused' });
    await durable.finished('reused');
    await durable.viaLibrary('start', 'forever', { instanceId: 'reused' });
    await durable.until('reused', ({ customStatus }) => customStatus !== null);
    expect(await durable.viaLibrary('start', 'fanOut', { instanceId: 'reused' })).toEqual({
      error: expect.stringContaining('An Orchestration instance with the status Running already exists.') as string,
    });
    expect((await durable.get('reused')).status).toMatchObject({ name: 'forever', runtimeStatus: 'Running' });

    await durable.viaLibrary('terminate', 'reused', { reason: 'done' });
    await durable.finished('reused');
    expect(await durable.viaLibrary('status', 'reused')).toMatchObject({
      answer: { name: 'forever', runtimeStatus: 'Terminated', output: 'done' },
    });
    expect(await durable.viaLibrary('terminate', 'reused', { reason: 'again' })).toEqual({ answer: null });
    expect(await durable.viaLibrary('list', 'Terminated')).toMatchObject({
      answer: expect.arrayContaining([expect.objectContaining({ instanceId: 'reused' })]) as unknown,
    });
    expect(await durable.viaLibrary('purge', 'reused')).toEqual({ answer: { instancesDeleted: 1 } });
    expect(await durable.viaLibrary('purge', 'reused')).toEqual({ answer: { instancesDeleted: 0 } });
    expect(await durable.viaLibrary('status', 'reused')).toEqual({ error: expect.stringContaining('404') as string });
  });

  test('events, suspend and resume go through', async () => {
    await durable.viaLibrary('start', 'events', { instanceId: 'driven', input: { ms: 0 } });
    await durable.viaLibrary('suspend', 'driven');
    await durable.viaLibrary('resume', 'driven');
    await durable.viaLibrary('raise', 'driven', { event: 'go', data: 'a' });
    await durable.viaLibrary('raise', 'driven', { event: 'go', data: 'b' });
    expect((await durable.finished('driven')).output).toEqual(['a', 'b']);
  });
});

describe('the HTTP API', () => {
  test('start answers links, status answers 202 until the end and the whole status after it', async () => {
    const started = await durable.post('orchestrators/FORever/api-1', { x: 1 });
    expect(started.status).toBe(202);
    expect(started.headers.get('location')).toContain('/runtime/webhooks/durabletask/instances/api-1?taskHub=fixture');
    expect(await started.json()).toMatchObject({ id: 'api-1' });
    expect((await durable.get('api-1')).code).toBe(202);
    await durable.post('instances/api-1/terminate?reason=done');
    await durable.finished('api-1');
    const time = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/) as string;
    const { code, status } = await durable.get('api-1');
    expect(code).toBe(200);
    expect(status).toEqual({
      ...{ name: 'forever', instanceId: 'api-1', runtimeStatus: 'Terminated', input: { x: 1 }, output: 'done' },
      ...{ customStatus: { stage: 'waiting' }, createdTime: time, lastUpdatedTime: time },
    });
  });

  test('the history is shown on demand', async () => {
    const { instanceId } = await durable.run('fanOut', { count: 1 });
    const { status } = await durable.get(instanceId, '?showHistory=true&showInput=false');
    expect(status.input).toBeNull();
    expect(status.historyEvents?.map((event) => event.EventType)).toEqual([
      'ExecutionStarted',
      'TaskScheduled',
      'TaskCompleted',
      'ExecutionCompleted',
    ]);
  });

  test('purges what a filter selects, and wants createdTimeFrom', async () => {
    const { instanceId } = await durable.run('thrower');
    const instances = `${host.url}/durabletask/instances/`;
    expect((await fetch(`${instances}?runtimeStatus=Failed`, { method: 'DELETE' })).status).toBe(400);
    const query = '?createdTimeFrom=2000-01-01T00:00:00Z&runtimeStatus=Failed';
    const purged = await fetch(`${instances}${query}`, { method: 'DELETE' });
    expect(await purged.json()).toEqual({ instancesDeleted: expect.any(Number) as number });
    expect((await fetch(`${instances}${instanceId}`)).status).toBe(404);
    expect((await fetch(`${instances}${query}`, { method: 'DELETE' })).status).toBe(404);
  });

  test.each([
    ['orchestrators/missing', 400],
    ['orchestrators/nothing/%40bad', 400],
    ['instances/any/dance', 501],
    ['entities/counter', 501],
    ['instances/@counter@k/terminate', 501],
  ])('POST %s is refused with %i', async (path, code) => {
    expect((await durable.post(path, {})).status).toBe(code);
  });

  test('an input that is not JSON is refused', async () => {
    const response = await fetch(`${host.url}/durabletask/orchestrators/nothing`, { method: 'POST', body: '{oops' });
    expect(response.status).toBe(400);
  });
});
