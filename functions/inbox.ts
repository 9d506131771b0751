import { app } from '@azure/functions';
import { z } from 'zod';
import { announceBlob } from '../shared/steps/announce-blob.ts';
import { triggerDeps, triggerSettings } from './queue-trigger.ts';

// Stands in for Event Grid on a developer's machine: polls the inbox and writes the same messages.
if (triggerSettings?.inbox !== undefined)
  app.storageBlob('inbox', {
    path: '%BATCHPOINT_INBOX%/{name}',
    connection: 'AzureWebJobsStorage',
    handler: async (_content, { triggerMetadata }) =>
      announceBlob(await triggerDeps(), z.string().parse(triggerMetadata?.['uri'])),
  });
