import { z } from 'zod';
import { invokeFromQueue } from '../shared/steps/invoke-from-queue.ts';
import { onQueue, triggerSettings } from './queue-trigger.ts';

const { invokeQueue } = triggerSettings;

if (invokeQueue !== undefined)
  onQueue('invokeQueue', invokeQueue, (deps, message, { triggerMetadata }) =>
    invokeFromQueue(deps, { queue: invokeQueue, message, messageId: z.string().min(1).parse(triggerMetadata?.['id']) }),
  );
