import { z } from 'zod';

/** What a worker process says: a stranger's code runs where it comes from. The process itself takes the types alone. */
export const FromWorker = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('loaded') }),
  z.object({
    kind: z.literal('rows'),
    bytes: z.custom<Uint8Array>((value) => value instanceof Uint8Array),
    rows: z.int(),
    columns: z.array(z.string()),
  }),
  z.object({ kind: z.literal('returned'), results: z.int(), items: z.array(z.string()) }),
  /** The load or the run failed; `worker` tells whether the process can take the next run. */
  z.object({ kind: z.literal('failed'), message: z.string(), worker: z.enum(['lives', 'ends']) }),
]);
export type FromWorker = z.infer<typeof FromWorker>;
