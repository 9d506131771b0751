import { z } from 'zod';
import { invokeFromQueue } from '../shared/steps/invoke-from-queue.ts';
import { onQueue, triggerSettings } from './queue-trigger.ts';

if (triggerSettings) {
  const { invokeQueue } = triggerSettings;
  onQueue('invokeQueue', invokeQueue, (deps, message, { triggerMetadata }) =>
    invokeFromQueue(deps, { queue: invokeQueue, message, messageId: z.string().min(1).parse(triggerMetadata?.['id']) }),
  );
}
