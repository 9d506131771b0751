import { OTLPLogExporter } from '@opentelemetry/exporter-logs-otlp-proto';
import { OTLPMetricExporter } from '@opentelemetry/exporter-metrics-otlp-proto';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-proto';
import type { Exporters } from './sdk.ts';

/** OTLP as http/protobuf. Address, headers and timeouts: the standard's own environment variables. */
export const exporters = (): Exporters => ({
  spans: new OTLPTraceExporter(),
  metrics: new OTLPMetricExporter(),
  logs: new OTLPLogExporter(),
});
