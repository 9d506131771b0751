import { OTLPLogExporter } from '@opentelemetry/exporter-logs-otlp-http';
import { OTLPMetricExporter } from '@opentelemetry/exporter-metrics-otlp-http';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import type { Exporters } from './sdk.ts';

/** OTLP as http/json; otherwise as with protobuf. */
export const exporters = (): Exporters => ({
  spans: new OTLPTraceExporter(),
  metrics: new OTLPMetricExporter(),
  logs: new OTLPLogExporter(),
});
