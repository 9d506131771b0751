import { context, diag, DiagLogLevel, metrics, propagation, trace } from '@opentelemetry/api';
import { SeverityNumber } from '@opentelemetry/api-logs';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { W3CTraceContextPropagator } from '@opentelemetry/core';
import { defaultResource, resourceFromAttributes } from '@opentelemetry/resources';
import { BatchLogRecordProcessor, LoggerProvider, type LogRecordExporter } from '@opentelemetry/sdk-logs';
import { MeterProvider, PeriodicExportingMetricReader, type PushMetricExporter } from '@opentelemetry/sdk-metrics';
import {
  AlwaysOnSampler,
  BasicTracerProvider,
  BatchSpanProcessor,
  type SpanExporter,
} from '@opentelemetry/sdk-trace-base';
import { logContext } from './job-scope.ts';
import { spanIds } from './reserved-span-id.ts';

/** Where one kind of telemetry goes. */
export interface Exporters {
  readonly spans: SpanExporter;
  readonly metrics: PushMetricExporter;
  readonly logs?: LogRecordExporter;
}

export interface SdkOptions {
  readonly metricIntervalMs: number;
  /** Told what could not be sent. */
  say(message: string): void;
}

const nothing = (): void => undefined;

export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

export interface Sdk {
  sendLog(level: LogLevel, fields: Readonly<Record<string, unknown>>, message: string): void;
  stop(): Promise<void>;
}

const SEVERITIES = {
  debug: SeverityNumber.DEBUG,
  info: SeverityNumber.INFO,
  warn: SeverityNumber.WARN,
  error: SeverityNumber.ERROR,
};

/** Registers OpenTelemetry's SDK for this process. No library is instrumented: what is told is told by this app. */
export function startSdk(exporters: Exporters, options: SdkOptions): Sdk {
  const { metricIntervalMs, say } = options;
  // The exporters' only way to say that something did not arrive.
  const tell = (message: string, ...more: unknown[]): void =>
    say([message, ...more.filter((part) => typeof part === 'string')].join(' '));
  diag.setLogger({ error: tell, warn: tell, info: nothing, debug: nothing, verbose: nothing }, DiagLogLevel.WARN);
  const resource = defaultResource().merge(resourceFromAttributes(resourceAttributes(process.env)));
  const traces = new BasicTracerProvider({
    resource,
    idGenerator: spanIds,
    // A parent's decision does not count: in Azure the Functions host writes "not sampled" whatever the caller wrote.
    ...(process.env['OTEL_TRACES_SAMPLER'] === undefined && { sampler: new AlwaysOnSampler() }),
    spanProcessors: [new BatchSpanProcessor(exporters.spans)],
  });
  const reader = new PeriodicExportingMetricReader({
    exporter: exporters.metrics,
    exportIntervalMillis: metricIntervalMs,
    exportTimeoutMillis: Math.min(metricIntervalMs, 30_000),
  });
  const meters = new MeterProvider({ resource, readers: [reader] });
  const logs = new LoggerProvider({
    resource,
    processors: exporters.logs ? [new BatchLogRecordProcessor({ exporter: exporters.logs })] : [],
  });
  const logger = logs.getLogger('batchpoint');
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
  propagation.setGlobalPropagator(new W3CTraceContextPropagator());
  trace.setGlobalTracerProvider(traces);
  metrics.setGlobalMeterProvider(meters);
  return {
    sendLog(level, fields, message) {
      logger.emit({
        severityNumber: SEVERITIES[level],
        severityText: level,
        body: message,
        attributes: attributesOf({ ...logContext(), ...fields }),
      });
    },
    async stop() {
      // What cannot be sent by now is lost, and the exporters have said so.
      await Promise.allSettled([traces.shutdown(), meters.shutdown(), logs.shutdown()]);
    },
  };
}

/** What OTEL_SERVICE_NAME and OTEL_RESOURCE_ATTRIBUTES say goes before what the Functions host says. */
function resourceAttributes(environment: Readonly<Record<string, string | undefined>>): Record<string, string> {
  const { OTEL_SERVICE_NAME: asked, WEBSITE_SITE_NAME: site } = environment;
  // The second on Flex Consumption.
  const instance = environment['WEBSITE_INSTANCE_ID'] ?? environment['WEBSITE_POD_NAME'];
  return {
    'service.name': asked ?? site ?? 'batchpoint',
    ...(instance !== undefined && { 'service.instance.id': instance }),
  };
}

/** Fields of a line of log as attributes: lists and objects as JSON. */
const attributesOf = (fields: Readonly<Record<string, unknown>>): Record<string, string | number | boolean> =>
  Object.fromEntries(
    Object.entries(fields).flatMap(([name, value]): [string, string | number | boolean][] => {
      if (value === undefined || value === null) return [];
      const isPlain = typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean';
      return [[name, isPlain ? value : JSON.stringify(value)]];
    }),
  );
