import { z } from 'zod';

const KINDS = ['console', 'otlp', 'azure', 'none'] as const;

/** What the app's settings say of telemetry; the names that are not ours are the standard's and Azure's. */
export const telemetrySettings = {
  /** Where traces and metrics go; by default to whatever is configured below. */
  BATCHPOINT_TELEMETRY: z.enum(KINDS).optional(),
  /** Application Insights. */
  APPLICATIONINSIGHTS_CONNECTION_STRING: z.string().min(1).optional(),
  /** `Authorization=AAD`: that one takes telemetry only from identities that it knows. */
  APPLICATIONINSIGHTS_AUTHENTICATION_STRING: z.string().min(1).optional(),
  /** An OTLP receiver; the exporters read this and the other OTEL_EXPORTER_OTLP_* by themselves. */
  OTEL_EXPORTER_OTLP_ENDPOINT: z.string().min(1).optional(),
  OTEL_EXPORTER_OTLP_PROTOCOL: z.enum(['http/protobuf', 'http/json']).default('http/protobuf'),
  /** Milliseconds between two exports of metrics. */
  OTEL_METRIC_EXPORT_INTERVAL: z.coerce.number().int().min(100).max(3_600_000).default(60_000),
};

export type TelemetrySettings = z.infer<z.ZodObject<typeof telemetrySettings>>;
export type TelemetryKind = (typeof KINDS)[number];

/** Where telemetry goes: what was asked for, else what there is an address of. Throws when Azure's is missing. */
export function telemetryKind(settings: TelemetrySettings): TelemetryKind {
  const { BATCHPOINT_TELEMETRY: asked, APPLICATIONINSIGHTS_CONNECTION_STRING: insights } = settings;
  if (asked === 'azure' && insights === undefined)
    throw new Error('BATCHPOINT_TELEMETRY is azure, but APPLICATIONINSIGHTS_CONNECTION_STRING is missing.');
  if (asked !== undefined) return asked;
  if (insights !== undefined) return 'azure';
  return settings.OTEL_EXPORTER_OTLP_ENDPOINT === undefined ? 'none' : 'otlp';
}
