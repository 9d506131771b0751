import { setTimeout as wait } from 'node:timers/promises';
import { app, input, output } from '@azure/functions';

const run = (context, details) => context.log(`RUN ${JSON.stringify({ fn: context.functionName, ...details })}`);

// What each path `put/{kind}/...` gives to its output.
const values = {
  text: 'grüße',
  empty: '',
  bytes: Buffer.from([0, 1, 255]),
  object: { a: [1] },
  array: ['one', { two: 2 }],
  none: [],
  number: 7,
  nothing: undefined,
};

const queue = output.storageQueue({ queueName: '%OUT_QUEUE%', connection: 'Storage' });
app.http('toQueue', {
  route: 'queue/{kind}',
  extraOutputs: [queue],
  handler: (request, context) => {
    context.extraOutputs.set(queue, values[request.params.kind]);
    return { status: 202 };
  },
});

const blob = output.storageBlob({ path: 'outbox/{kind}/{file}.txt', connection: 'Storage' });
app.http('toBlob', {
  route: 'blob/{kind}',
  extraOutputs: [blob],
  handler: (request, context) => {
    context.extraOutputs.set(blob, values[request.params.kind]);
    return { status: 202 };
  },
});

const note = input.storageBlob({ path: 'notes/{name}', connection: 'Storage' });
app.http('fromBlob', {
  route: 'read/{name}',
  extraInputs: [note],
  handler: (request, context) => {
    const value = context.extraInputs.get(note);
    return { jsonBody: { isBuffer: Buffer.isBuffer(value), text: value?.toString() ?? null } };
  },
});

app.storageQueue('byMessage', {
  queueName: 'by-message',
  connection: 'Storage',
  return: output.storageBlob({ path: 'made/{order.id}/{DateTime:yyyy}-{rand-guid}.json', connection: 'Storage' }),
  handler: (message) => message.order,
});

app.http('slow', {
  extraOutputs: [queue],
  handler: async (request, context) => {
    await wait(2000);
    context.extraOutputs.set(queue, 'too late');
    run(context, { state: 'ended' });
    return {};
  },
});
app.storageQueue('slowMessage', {
  queueName: 'slow-message',
  connection: 'Storage',
  handler: async (message, context) => {
    run(context, { dequeueCount: context.triggerMetadata.dequeueCount });
    await wait(1500);
  },
});

const table = output.generic({ type: 'table', tableName: 't', connection: 'Storage' });
app.http('toTable', { extraOutputs: [table], handler: () => ({}) });
const client = input.storageBlob({ path: 'notes/{name}', connection: 'Storage', sdkBinding: true });
app.http('sdkClient', { extraInputs: [client], handler: () => ({}) });
