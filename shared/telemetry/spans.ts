import { context, propagation, SpanKind, SpanStatusCode, trace, type Context } from '@opentelemetry/api';
import { faultAttributes } from './fault-attributes.ts';

/** Names and numbers, never text that a caller wrote or a file holds. */
export type Attributes = Readonly<Record<string, string | number | boolean | undefined>>;

export interface SpanOptions {
  readonly attributes?: Attributes;
  /** Above it: a remote span. Else the present one. */
  readonly below?: Context;
  readonly kind?: 'server' | 'consumer';
}

const KINDS = { server: SpanKind.SERVER, consumer: SpanKind.CONSUMER };

/** Of this app alone: nothing else in the process is instrumented. Without an SDK every span is a no-op. */
export const tracer = () => trace.getTracer('batchpoint');

/** Runs `work` as a span. One that throws has failed: the span tells the fault's code, never its message. */
export function inSpan<T>(name: string, options: SpanOptions, work: () => Promise<T>): Promise<T> {
  const { attributes = {}, below = context.active(), kind } = options;
  const kindOf = kind ? { kind: KINDS[kind] } : {};
  return tracer().startActiveSpan(name, { ...kindOf, attributes: { ...attributes } }, below, async (span) => {
    try {
      return await work();
    } catch (error) {
      const attributes = faultAttributes(error);
      span.setAttributes(attributes);
      span.setStatus({ code: SpanStatusCode.ERROR, message: attributes['error.type'] });
      throw error;
    } finally {
      span.end();
    }
  });
}

/** Tells more of the present span. */
export function note(attributes: Attributes): void {
  trace.getActiveSpan()?.setAttributes({ ...attributes });
}

/** The present span's work did not succeed, though it threw nothing. */
export function noteFailure(code: string): void {
  trace.getActiveSpan()?.setAttribute('error.type', code).setStatus({ code: SpanStatusCode.ERROR, message: code });
}

/** Something that happened during the present span. */
export function noteEvent(name: string, attributes: Attributes): void {
  trace.getActiveSpan()?.addEvent(name, { ...attributes });
}

/** A better name for the present span, when what it does becomes known. */
export function nameSpan(name: string): void {
  trace.getActiveSpan()?.updateName(name);
}

/** What is above a span whose caller says so in W3C's `traceparent`; the present span when it says nothing. */
export function belowCaller(traceparent: string | null | undefined): Context {
  return !traceparent ? context.active() : propagation.extract(context.active(), { traceparent });
}
