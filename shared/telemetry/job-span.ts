import { isSpanContextValid, propagation, ROOT_CONTEXT, SpanStatusCode, trace, type Context } from '@opentelemetry/api';
import type { JobTrace } from '../domain/job-trace.ts';
import { newSpanId, underReservedId } from './reserved-span-id.ts';
import { tracer, type Attributes } from './spans.ts';

/** The trace of a job that is accepted now: its span will be below the present one. Empty where nothing is traced. */
export function newJobTrace(): { trace?: JobTrace } {
  const above = trace.getActiveSpan()?.spanContext();
  if (!above || !isSpanContextValid(above)) return {};
  const carrier: { traceparent?: string } = {};
  const own = { ...above, spanId: newSpanId() };
  propagation.inject(trace.setSpanContext(ROOT_CONTEXT, own), carrier);
  const { traceparent } = carrier;
  return traceparent === undefined ? {} : { trace: { traceparent, parent: above.spanId } };
}

/** What works for a job goes below its span; without one it begins a trace of its own. */
export const belowJob = (job: JobTrace | undefined): Context =>
  job ? propagation.extract(ROOT_CONTEXT, { traceparent: job.traceparent }) : ROOT_CONTEXT;

/** The present span belongs to a job that another request has made. */
export function linkToJob(job: JobTrace | undefined): void {
  const context = trace.getSpanContext(belowJob(job));
  if (context) trace.getActiveSpan()?.addLink({ context });
}

export interface FinishedJob {
  readonly name: string;
  /** Milliseconds since 1970. */
  readonly from: number;
  readonly to: number;
  readonly attributes: Attributes;
  /** Code of what failed it. */
  readonly failure: string | undefined;
}

/** Writes the span of a job that has ended, under the id that everything below it names. */
export function writeJobSpan(job: JobTrace, { name, from, to, attributes, failure }: FinishedJob): void {
  const own = trace.getSpanContext(belowJob(job));
  if (!own) return;
  const above = trace.setSpanContext(ROOT_CONTEXT, { ...own, spanId: job.parent });
  const span = underReservedId(own.spanId, () =>
    tracer().startSpan(name, { startTime: new Date(from), attributes: { ...attributes } }, above),
  );
  if (failure !== undefined)
    span.setAttribute('error.type', failure).setStatus({ code: SpanStatusCode.ERROR, message: failure });
  span.end(new Date(to));
}
