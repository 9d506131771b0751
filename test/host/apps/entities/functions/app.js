import { app } from '@azure/functions';
import * as df from 'durable-functions';

const counter = (key) => new df.EntityId('counter', key);

// The name has capitals, and callers write it as they like.
df.app.entity('Counter', (context) => {
  const { df: entity } = context;
  switch (entity.operationName) {
    case 'add':
      entity.setState(entity.getState(() => 0) + entity.getInput());
      entity.return(entity.getState());
      return;
    case 'get':
      entity.return(entity.getState(() => 0));
      return;
    case 'self':
      entity.return({ name: entity.entityName, key: entity.entityKey, fresh: entity.isNewlyConstructed });
      return;
    case 'quiet':
      entity.setState(entity.getState(() => 0) + 1);
      return;
    case 'fail':
      throw new Error('lost text');
    case 'delete':
      entity.destructOnExit();
      return;
    case 'pass':
      // Tells another entity, and one that adds up what all others pass on.
      entity.setState(entity.getInput().amount);
      entity.signalEntity(counter(entity.getInput().to), 'add', entity.getInput().amount);
      entity.signalEntity(new df.EntityId('COUNTER', 'total'), 'add', entity.getInput().amount);
      return;
  }
});
df.app.entity('listed', ({ df: entity }) => {
  if (entity.operationName === 'set') entity.setState(entity.getInput());
});
df.app.entity('broken', () => undefined);
app.hook.preInvocation(({ invocationContext }) => {
  if (invocationContext.functionName === 'broken') throw new Error('never runs');
});

df.app.activity('echo', { handler: (input) => input });

df.app.orchestration('call', function* (context) {
  const { name = 'counter', key, operations } = context.df.getInput();
  const answers = [];
  for (const [operation, input] of operations) {
    try {
      answers.push((yield context.df.callEntity(new df.EntityId(name, key), operation, input)) ?? null);
    } catch (error) {
      answers.push({ failed: error.message });
    }
  }
  return answers;
});

// Ids of calls, signals, activities and retries interleave: an answer at the wrong place shows in the result.
df.app.orchestration('mixed', function* (context) {
  const { key } = context.df.getInput();
  context.df.signalEntity(counter(key), 'add', 100);
  const first = yield context.df.Task.all([
    context.df.callEntity(counter(key), 'add', 1),
    context.df.callActivity('echo', { n: 1 }),
    context.df.callEntity(counter(`${key}-other`), 'add', 7),
  ]);
  context.df.signalEntity(counter(key), 'add', 1000);
  const retried = yield context.df.callActivityWithRetry('echo', new df.RetryOptions(10, 2), { n: 2 });
  const last = yield context.df.Task.all([
    context.df.callActivity('echo', { n: 3 }),
    context.df.callEntity(counter(key), 'get'),
  ]);
  return [first, retried, last];
});

// Signals without waiting, and ends in the same episode.
df.app.orchestration('signalAndEnd', function* (context) {
  const { key, count, end } = context.df.getInput();
  for (let i = 0; i < count; i++) context.df.signalEntity(counter(key), 'add', 1);
  if (end === 'throw') throw new Error('the end');
  if (end === 'again') context.df.continueAsNew({ key, count: 1 });
  return 'done';
});

df.app.orchestration('unknownEntity', function* (context) {
  yield context.df.callEntity(new df.EntityId('nobody', 'k'), 'add', 1);
});
df.app.orchestration('locks', function* (context) {
  yield context.df.lock(counter('a'));
});

app.http('client', {
  methods: ['POST'],
  route: 'client/{operation}/{key}',
  extraInputs: [df.input.durableClient()],
  handler: async (request, context) => {
    const client = df.getClient(context);
    const { operation, key } = request.params;
    const { name = 'Counter', op, input } = await request.json();
    const id = new df.EntityId(name, key);
    if (operation === 'read') return { jsonBody: await client.readEntityState(id) };
    await client.signalEntity(id, op, input);
    return { jsonBody: {} };
  },
});
