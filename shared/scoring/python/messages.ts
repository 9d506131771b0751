import { z } from 'zod';

/** What a worker answers first. */
export const StartAnswer = z.discriminatedUnion('type', [
  z.object({ type: z.literal('ready') }),
  z.object({ type: z.literal('startFault'), reason: z.string() }),
]);

const recordFailure = z.object({
  row: z.number(),
  line: z.number().exactOptional(),
  code: z.string(),
  reason: z.string(),
});

/** What a worker answers to a request, beside rows. The types of `LAST` end the answer. */
export const RunAnswer = z.discriminatedUnion('type', [
  z.object({ type: z.literal('columns'), names: z.array(z.string()) }),
  z.object({ type: z.literal('failures'), failures: z.array(recordFailure) }),
  z.object({ type: z.literal('returned'), results: z.number(), items: z.array(z.string()) }),
  z.object({ type: z.literal('fileFault'), code: z.string(), reason: z.string(), line: z.number().optional() }),
  /** `usable`: whether the worker may go on. */
  z.object({ type: z.literal('failed'), reason: z.string(), usable: z.boolean() }),
]);
export type RunAnswer = z.infer<typeof RunAnswer>;

export interface RowsAnswer {
  readonly type: 'rows';
  readonly rows: number;
  readonly bytes: Uint8Array;
}

export const LAST: ReadonlySet<string> = new Set(['returned', 'fileFault', 'failed']);
