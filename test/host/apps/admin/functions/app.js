import { app } from '@azure/functions';
import * as df from 'durable-functions';

// What each function was called with, in order.
const calls = [];
const record = (name) => (input, context) => {
  const data = Buffer.isBuffer(input) ? `bytes: ${input.toString()}` : input;
  calls.push({ name, input: data, trigger: context.triggerMetadata?.[`${name}Trigger`] });
};

app.http('calls', { methods: ['GET'], handler: () => ({ jsonBody: calls }) });
app.http('hello', { route: 'greet/{name}', methods: ['GET'], handler: () => ({ body: 'hello' }) });
app.http('root', {
  route: '{*path}',
  methods: ['GET'],
  handler: (request) => ({ body: `root ${request.params.path}` }),
});
app.storageQueue('queue', { queueName: 'unused-queue', connection: 'Other', handler: record('queue') });
app.storageBlob('blob', { path: 'unused/{name}', connection: 'Other', handler: record('blob') });
app.timer('timer', { schedule: '0 0 3 1 1 *', handler: record('timer') });
df.app.activity('work', { handler: record('work') });
df.app.orchestration('orchestrate', function* () {
  return yield 1;
});
let release;
app.timer('slow', { schedule: '0 0 3 1 1 *', handler: () => new Promise((resolve) => (release = resolve)) });
app.http('release', {
  methods: ['GET'],
  handler: () => ({ jsonBody: { waited: release !== undefined, done: release?.() } }),
});
app.http('quiet', { methods: ['GET'], handler: () => ({}) });
app.http('quietFailure', {
  methods: ['GET'],
  handler: () => {
    throw new Error('broken on purpose');
  },
});
