import { randomBytes } from 'node:crypto';
import type { Span } from './otlp-receiver.ts';

/** What a caller who traces has, and sends. */
export function caller() {
  const [traceId, spanId] = [randomBytes(16).toString('hex'), randomBytes(8).toString('hex')];
  return { traceId, spanId, traceparent: `00-${traceId}-${spanId}-01` };
}

/** Whether every span but the outermost, whose parent is the caller's, has its parent here. */
export function isComplete(spans: readonly Span[]): boolean {
  const ids = new Set(spans.map(({ spanId }) => spanId));
  return spans.filter(({ parentSpanId }) => !ids.has(parentSpanId)).length === 1;
}

/** Names of the spans with those of the spans above them, outermost first. */
export function paths(spans: readonly Span[]): string[] {
  const byId = new Map(spans.map((span) => [span.spanId, span]));
  const pathOf = (span: Span): string => {
    const above = byId.get(span.parentSpanId);
    return above ? `${pathOf(above)} > ${span.name}` : span.name;
  };
  return [...new Set(spans.map(pathOf))].sort();
}

export const named = (spans: readonly Span[], name: string): Span[] => spans.filter((span) => span.name === name);
