import { setTimeout as wait } from 'node:timers/promises';
import { app, output } from '@azure/functions';

const run = (context, details) => context.log(`RUN ${JSON.stringify({ fn: context.functionName, ...details })}`);

app.storageQueue('take', {
  queueName: '%TAKE_QUEUE%',
  connection: 'Storage',
  handler: (message, context) => run(context, { message, metadata: context.triggerMetadata }),
});

app.storageQueue('fails', {
  queueName: 'failing',
  connection: '',
  handler: (message, context) => {
    run(context, { message, dequeueCount: context.triggerMetadata.dequeueCount });
    throw new Error('broken on purpose');
  },
});

// Runs longer than a message is hidden for.
app.storageQueue('slow', {
  queueName: 'slow',
  connection: 'AzureWebJobsStorage',
  handler: async (message, context) => {
    run(context, { message, state: 'begun', dequeueCount: context.triggerMetadata.dequeueCount });
    await wait(3500);
    run(context, { message, state: 'ended' });
  },
});

// Never ends while the host runs.
app.storageQueue('stuck', {
  queueName: 'stuck',
  connection: 'Storage',
  handler: async (message, context) => {
    run(context, { message, dequeueCount: context.triggerMetadata.dequeueCount });
    if (process.env.FIXTURE_STUCK === 'yes') await new Promise(() => setInterval(() => undefined, 1000));
  },
});

app.storageQueue('forward', {
  queueName: 'forward',
  connection: 'Storage',
  return: output.storageQueue({ queueName: 'TAKE-ITEMS', connection: 'Storage' }),
  handler: (message) => message.items,
});

app.storageQueue('graveyard', {
  queueName: 'graveyard-poison',
  connection: 'Storage',
  handler: (message, context) => {
    run(context, { message, dequeueCount: context.triggerMetadata.dequeueCount });
    throw new Error('broken on purpose');
  },
});

app.storageQueue('badConnection', { queueName: 'x-y', connection: 'Garbage', handler: () => undefined });
app.storageQueue('unknownSetting', { queueName: '%NO_SUCH_SETTING%', connection: 'Storage', handler: () => undefined });
app.storageQueue('unknownConnection', { queueName: 'x-y', connection: 'NoSuchConnection', handler: () => undefined });
app.storageQueue('badName', { queueName: 'a--b', connection: 'Storage', handler: () => undefined });
app.storageQueue('off', { queueName: 'off', connection: 'Storage', handler: (message, context) => run(context) });
