import { z } from 'zod';

/** What `miniBatchSize` counts. */
export const MiniBatchUnit = z.enum(['files', 'records', 'bytes']);
export type MiniBatchUnit = z.infer<typeof MiniBatchUnit>;
