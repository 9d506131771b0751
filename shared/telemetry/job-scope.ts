import { AsyncLocalStorage } from 'node:async_hooks';
import { isSpanContextValid, trace } from '@opentelemetry/api';

/** The job that the present call works for, and where it belongs. */
export interface JobScope {
  readonly job?: string;
  readonly endpoint?: string | null;
  readonly deployment?: string | null;
}

const scopes = new AsyncLocalStorage<{ present: JobScope }>();

/** Runs `work` for a job: its lines of log name the job, and its metrics the endpoint and deployment. */
export const inScope = <T>(scope: JobScope, work: () => T): T => scopes.run({ present: scope }, work);

/** A scope's job becomes known while its work runs, as when a request makes one. */
export function scopeTo(scope: JobScope): void {
  const held = scopes.getStore();
  if (held) held.present = scope;
}

export const presentScope = (): JobScope => scopes.getStore()?.present ?? {};

/** What a line of log says beside its own fields: the job that wrote it, and the span. */
export function logContext(): Record<string, string> {
  const { job } = presentScope();
  const span = trace.getActiveSpan()?.spanContext();
  return {
    ...(job !== undefined && { job }),
    ...(span && isSpanContextValid(span) && { trace_id: span.traceId, span_id: span.spanId }),
  };
}
