import { setTimeout as wait } from 'node:timers/promises';
import { app } from '@azure/functions';

const run = (context, details) => context.log(`RUN ${JSON.stringify({ fn: context.functionName, ...details })}`);

app.storageBlob('take', {
  path: '%INBOX%/{folder}/{name}.{ext}',
  connection: 'Storage',
  handler: (blob, context) =>
    run(context, { text: blob.toString(), isBuffer: Buffer.isBuffer(blob), metadata: context.triggerMetadata }),
});

app.storageBlob('fails', {
  path: 'failing',
  connection: 'Storage',
  handler: (blob, context) => {
    run(context, { name: context.triggerMetadata.name });
    throw new Error('broken on purpose');
  },
});

// A new version arrives while the versions before it wait.
app.storageBlob('slow', {
  path: 'slow/{name}',
  connection: 'Storage',
  handler: async (blob, context) => {
    run(context, { name: context.triggerMetadata.name, text: blob.toString() });
    if (context.triggerMetadata.name === 'first') await wait(1500);
  },
});

app.storageBlob('grid', { path: 'grid/{name}', connection: 'Storage', source: 'EventGrid', handler: () => undefined });
app.storageBlob('badPath', { path: '{container}/{name}', connection: 'Storage', handler: () => undefined });
