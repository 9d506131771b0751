import { appendFileSync } from 'node:fs';
import { app } from '@azure/functions';
import * as df from 'durable-functions';

// What ran, in order: tests look at it over HTTP, because activities leave no other trace. A file outlives the host.
const journal = [];
const journalFile = process.env.FIXTURE_JOURNAL;
const note = (entry) => {
  journal.push(entry);
  if (journalFile) appendFileSync(journalFile, `${entry}\n`);
};
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

app.http('journal', { route: 'journal', handler: () => ({ jsonBody: journal }) });

df.app.activity('echo', { handler: (input) => input });
df.app.activity('typeOf', { handler: (input) => ({ type: typeof input, value: input ?? null }) });
df.app.activity('wait', {
  handler: async ({ ms, tag }) => {
    note(`begin ${tag}`);
    await sleep(ms);
    note(`end ${tag}`);
    return tag;
  },
});
df.app.activity('fail', {
  handler: async ({ ms = 0, text }) => {
    await sleep(ms);
    throw new Error(text);
  },
});
const attempts = new Map();
df.app.activity('flaky', {
  handler: ({ key, failures }) => {
    const attempt = (attempts.get(key) ?? 0) + 1;
    attempts.set(key, attempt);
    note(`${key} ${attempt}`);
    if (attempt <= failures) throw new Error(`${key} failed ${attempt}`);
    return attempt;
  },
});
df.app.activity('draw', { handler: ({ tag }) => (note(`draw ${tag}`), { tag, id: Math.random() }) });

df.app.orchestration('nothing', function* () {});
df.app.orchestration('fanOut', function* (context) {
  const { count } = context.df.getInput();
  if (count === 0) return [];
  const tasks = Array.from({ length: count }, (_, i) => context.df.callActivity('echo', { i }));
  const results = yield context.df.Task.all(tasks);
  return results.map((result) => result.i);
});
df.app.orchestration('values', function* (context) {
  const results = [];
  for (const value of [{ a: 1 }, [1], 3, 'text', '123', true, false, null]) {
    results.push(yield context.df.callActivity('typeOf', value));
  }
  return results;
});
df.app.orchestration('context', function* (context) {
  yield context.df.callActivity('echo', {});
  return { version: context.df.version, input: context.df.getInput(), parent: context.df.parentInstanceId ?? null };
});

df.app.orchestration('child', function* (context) {
  const result = yield context.df.callActivity('echo', context.df.getInput());
  return {
    instanceId: context.df.instanceId,
    parent: context.df.parentInstanceId,
    version: context.df.version,
    result,
  };
});
df.app.orchestration('parent', function* (context) {
  const { explicit } = context.df.getInput();
  const { version } = context.df;
  return yield context.df.Task.all([
    context.df.callSubOrchestrator('child', { n: 1 }),
    context.df.callSubOrchestrator('child', { n: 2 }, explicit, version),
  ]);
});
df.app.orchestration('parentOf', function* (context) {
  const { name, input, instanceId } = context.df.getInput();
  try {
    return { ok: yield context.df.callSubOrchestrator(name, input, instanceId) };
  } catch (error) {
    return { failed: error.message };
  }
});

const retry = (attempts) => new df.RetryOptions(10, attempts);
df.app.orchestration('retries', function* (context) {
  const { key } = context.df.getInput();
  const [first, second] = yield context.df.Task.all([
    context.df.callActivityWithRetry('flaky', retry(4), { key, failures: 2 }),
    context.df.callActivity('echo', { b: 2 }),
    context.df.callSubOrchestratorWithRetry('flakyChild', retry(3), { key: `${key}-child`, failures: 1 }),
  ]);
  const third = yield context.df.callActivity('echo', { c: 3 });
  return [first, second, third];
});
df.app.orchestration('flakyChild', function* (context) {
  return yield context.df.callActivity('flaky', context.df.getInput());
});
df.app.orchestration('flakyFamily', function* (context) {
  const { key } = context.df.getInput();
  const first = yield context.df.callActivity('echo', { first: key });
  const rest = yield context.df.Task.all([
    context.df.callSubOrchestrator('flakyChild', { key: `${key}-child`, failures: 1 }),
    context.df.callSubOrchestrator('child', { n: 1 }),
    context.df.callActivity('flaky', { key: `${key}-activity`, failures: 1 }),
  ]);
  return [first, rest[0], rest[1].result, rest[2]];
});
df.app.orchestration('exhausted', function* (context) {
  const { key } = context.df.getInput();
  let message;
  try {
    yield context.df.callActivityWithRetry('flaky', retry(3), { key, failures: 9 });
  } catch (error) {
    message = error.message;
  }
  return { message, after: yield context.df.callActivity('echo', 'after') };
});
df.app.orchestration('exhaustedThenFails', function* (context) {
  try {
    yield context.df.callActivity('flaky', { key: context.df.getInput().key, failures: 1 });
  } catch {
    yield context.df.callActivity('echo', 'caught');
  }
  throw new Error('after the catch');
});

const later = (context, ms) => new Date(context.df.currentUtcDateTime.getTime() + ms);
df.app.orchestration('timer', function* (context) {
  const begun = context.df.currentUtcDateTime.getTime();
  yield context.df.createTimer(later(context, 50));
  return context.df.currentUtcDateTime.getTime() - begun >= 50;
});
df.app.orchestration('timeLimit', function* (context) {
  const { ms } = context.df.getInput();
  const outcomes = [];
  for (let round = 0; round < 2; round++) {
    const work = context.df.callActivity('wait', { ms, tag: 'limited' });
    const limit = context.df.createTimer(later(context, ms > 100 ? 20 : 60 * 24 * 3600 * 1000));
    const winner = yield context.df.Task.any([work, limit]);
    if (winner === work) limit.cancel();
    outcomes.push(winner === work ? work.result : 'timeout');
  }
  return outcomes;
});
df.app.orchestration('events', function* (context) {
  yield context.df.callActivity('wait', { ms: context.df.getInput().ms, tag: 'before events' });
  const first = yield context.df.waitForExternalEvent('go');
  const second = yield context.df.waitForExternalEvent('go');
  return [first, second ?? null];
});
df.app.orchestration('countsEvents', function* (context) {
  const seen = [];
  while (seen.length < context.df.getInput().count) seen.push(yield context.df.waitForExternalEvent('go'));
  return seen;
});
df.app.orchestration('waitsForChild', function* (context) {
  context.df.setCustomStatus({ stage: 'waiting' });
  return yield context.df.callSubOrchestrator('events', { ms: 0 }, context.df.getInput().child);
});
df.app.orchestration('forever', function* (context) {
  context.df.setCustomStatus({ stage: 'waiting' });
  yield context.df.waitForExternalEvent('never');
});

df.app.orchestration('slowFan', function* (context) {
  const { count, ms } = context.df.getInput();
  const tasks = Array.from({ length: count }, (_, i) => context.df.callActivity('wait', { ms, tag: `slow ${i}` }));
  return (yield context.df.Task.all(tasks)).length;
});
df.app.orchestration('slowFamily', function* (context) {
  const { children, count, ms } = context.df.getInput();
  const tasks = Array.from({ length: children }, () => context.df.callSubOrchestrator('slowFan', { count, ms }));
  return (yield context.df.Task.all(tasks)).reduce((sum, one) => sum + one, 0);
});

// A lane: continueAsNew until its end, and only the last round answers the parent.
df.app.orchestration('lane', function* (context) {
  const { from, to, sum } = context.df.getInput();
  const { i } = yield context.df.callActivity('echo', { i: from });
  const next = { from: from + 1, to, sum: sum + i };
  if (next.from < to) {
    context.df.continueAsNew(next);
    return;
  }
  return { sum: next.sum, parent: context.df.parentInstanceId };
});
df.app.orchestration('lanes', function* (context) {
  const answers = yield context.df.Task.all(
    [0, 10, 20].map((from) => context.df.callSubOrchestrator('lane', { from, to: from + 5, sum: 0 })),
  );
  return answers.map(({ sum, parent }) => [sum, parent === context.df.instanceId]);
});
df.app.orchestration('restless', function* (context) {
  const round = context.df.getInput();
  if (round === 0) {
    const slow = context.df.callActivity('wait', { ms: 40, tag: 'old execution' });
    const fast = context.df.callActivity('echo', 'fast');
    yield context.df.Task.any([slow, fast]);
    context.df.continueAsNew(1);
    return;
  }
  return yield context.df.callActivity('wait', { ms: 120, tag: 'new execution' });
});

df.app.orchestration('thrower', function* () {
  throw new Error('final words');
});
df.app.orchestration('throwsText', function* () {
  throw 'only text';
});
df.app.orchestration('throwsEmpty', function* (context) {
  yield context.df.callActivity('echo', {});
  throw new Error('');
});
df.app.orchestration('throwsObject', function* (context) {
  yield context.df.callActivity('echo', {});
  throw { code: 1 };
});
df.app.orchestration('unknownActivity', function* (context) {
  yield context.df.callActivity('missing', {});
});
df.app.orchestration('window', function* (context) {
  const [a, b, c] = [1, 2, 3].map((n) => context.df.callActivity('wait', { ms: n === 1 ? 1 : 60, tag: `w${n}` }));
  yield context.df.Task.any([a, b]);
  yield context.df.Task.any([b, c]);
});
df.app.orchestration('again', function* (context) {
  const quick = context.df.callActivity('wait', { ms: 1, tag: 'quick' });
  const slow = context.df.callActivity('wait', { ms: 60, tag: 'slow' });
  yield context.df.Task.any([quick, slow]);
  yield slow;
});
let turns = 0;
df.app.orchestration('fickle', function* (context) {
  turns += 1;
  yield context.df.callActivity(turns === 1 ? 'echo' : 'typeOf', {});
});
// B1: after the first failure nothing more is scheduled until every other child has ended.
df.app.orchestration('gate', function* (context) {
  try {
    yield context.df.Task.all([
      context.df.callActivity('fail', { ms: 5, text: 'early' }),
      context.df.callActivity('wait', { ms: 150, tag: 'sibling' }),
    ]);
  } catch {
    yield context.df.callActivity('wait', { ms: 0, tag: 'stop' });
  }
});
df.app.orchestration('gateRethrow', function* (context) {
  yield context.df.Task.all([
    context.df.callActivity('fail', { ms: 5, text: 'early' }),
    context.df.callActivity('wait', { ms: 150, tag: 'rethrow sibling' }),
  ]);
});

// A chain in which each activity gets what the one before it answered.
df.app.orchestration('chain', function* (context) {
  const { key, length } = context.df.getInput();
  const ids = [];
  for (let i = 0; i < length; i++) {
    const { tag, id } = yield context.df.callActivity('draw', { tag: `${key}-${i}`, before: ids.at(-1) ?? null });
    if (tag !== `${key}-${i}`) throw new Error(`answer of ${tag} at ${key}-${i}`);
    ids.push(id);
  }
  return ids.length;
});

app.http('client', {
  methods: ['POST'],
  route: 'client/{operation}/{name}',
  extraInputs: [df.input.durableClient()],
  handler: async (request, context) => {
    const client = df.getClient(context);
    const { operation, name } = request.params;
    const options = request.headers.get('content-length') === null ? {} : await request.json();
    try {
      const answer = {
        start: () => client.startNew(name, options),
        status: () => client.getStatus(name, options),
        raise: () => client.raiseEvent(name, options.event, options.data),
        terminate: () => client.terminate(name, options.reason),
        suspend: () => client.suspend(name, 'test'),
        resume: () => client.resume(name, 'test'),
        purge: () => client.purgeInstanceHistory(name),
        rewind: () => client.rewind(name, 'test'),
        list: () => client.getStatusBy({ runtimeStatus: [name] }),
        links: () => client.createHttpManagementPayload(name),
      };
      return { jsonBody: { answer: (await answer[operation]()) ?? null } };
    } catch (error) {
      return { jsonBody: { error: error.message } };
    }
  },
});
