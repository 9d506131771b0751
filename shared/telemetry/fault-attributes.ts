import { z } from 'zod';

/** A fault of storage or of the API: what `StorageFault`, `ApiError` and `JobFault` have of these. */
const Coded = z.object({
  code: z.string().optional(),
  status: z.number().optional(),
  requestId: z.string().optional(),
});

/** What may be told of an error: a message may name addresses and hold rows, so none is (S4.7). */
export function faultAttributes(error: unknown): Record<string, string | number> & { 'error.type': string } {
  const name = error instanceof Error ? error.name : typeof error;
  const { code, status, requestId } = Coded.safeParse(error).data ?? {};
  return {
    'error.type': code ?? name,
    ...(status !== undefined && { 'batchpoint.fault.status': status }),
    ...(requestId !== undefined && { 'batchpoint.fault.request_id': requestId }),
  };
}
