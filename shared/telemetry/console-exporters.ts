import { SpanStatusCode, type HrTime } from '@opentelemetry/api';
import { ExportResultCode, hrTimeToMilliseconds, type ExportResult } from '@opentelemetry/core';
import {
  AggregationTemporality,
  DataPointType,
  type MetricData,
  type PushMetricExporter,
  type ResourceMetrics,
} from '@opentelemetry/sdk-metrics';
import type { ReadableSpan, SpanExporter } from '@opentelemetry/sdk-trace-base';
import type { Exporters } from './sdk.ts';

type Done = (result: ExportResult) => void;

const iso = (time: HrTime): string => new Date(hrTimeToMilliseconds(time)).toISOString();

/** One line of JSON for each span and each value of a metric, between the lines of log. */
export function consoleExporters(print: (line: string) => void): Exporters {
  const spans: SpanExporter = {
    export(ended: ReadableSpan[], done: Done) {
      for (const span of ended) print(JSON.stringify(spanLine(span)));
      done({ code: ExportResultCode.SUCCESS });
    },
    shutdown: async () => undefined,
  };
  const metrics: PushMetricExporter = {
    export(read: ResourceMetrics, done: Done) {
      for (const line of metricLines(read)) print(JSON.stringify(line));
      done({ code: ExportResultCode.SUCCESS });
    },
    // What happened since the last lines, so that an idle app prints none.
    selectAggregationTemporality: () => AggregationTemporality.DELTA,
    forceFlush: async () => undefined,
    shutdown: async () => undefined,
  };
  return { spans, metrics };
}

function spanLine(span: ReadableSpan): object {
  const { traceId, spanId } = span.spanContext();
  const { name, startTime, duration, status, attributes, events, parentSpanContext } = span;
  return {
    span: name,
    trace_id: traceId,
    span_id: spanId,
    parent_id: parentSpanContext?.spanId,
    start: iso(startTime),
    ms: Math.round(hrTimeToMilliseconds(duration) * 10) / 10,
    ...(status.code === SpanStatusCode.ERROR && { failed: status.message ?? true }),
    ...attributes,
    ...(events.length > 0 && { events: events.map((event) => ({ event: event.name, ...event.attributes })) }),
  };
}

function metricLines({ scopeMetrics }: ResourceMetrics): object[] {
  return scopeMetrics.flatMap(({ metrics }) => metrics).flatMap(valueLines);
}

function valueLines({ descriptor, ...metric }: MetricData): object[] {
  const { name, unit } = descriptor;
  switch (metric.dataPointType) {
    case DataPointType.SUM:
    case DataPointType.GAUGE:
      return metric.dataPoints.map(({ value, attributes }) => ({ metric: name, unit, value, ...attributes }));
    case DataPointType.HISTOGRAM:
    case DataPointType.EXPONENTIAL_HISTOGRAM:
      return metric.dataPoints.map(({ value: { count, sum, min, max }, attributes }) => ({
        ...{ metric: name, unit, count, sum, min, max },
        ...attributes,
      }));
  }
}
