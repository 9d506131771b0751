import type { TokenCredential } from '@azure/identity';
import type { TelemetrySettings } from './settings.ts';
import { telemetryKind } from './settings.ts';
import type { Exporters, Sdk } from './sdk.ts';

/** Telemetry of this process. */
export interface Telemetry {
  /** Whether spans and metrics go anywhere. */
  readonly on: boolean;
  /** Also sends a line of log where the spans go; absent where the console has it already. */
  readonly sendLog?: Sdk['sendLog'];
  /** Sends what waits, and ends. */
  stop(): Promise<void>;
}

export interface TelemetryMeans {
  /** Told what could not be sent. */
  say(message: string): void;
  /** The app's own, for an Application Insights that asks who sends. */
  readonly identity: TokenCredential;
}

/**
 * Sets up OpenTelemetry for this process, once. The SDK and one kind of exporter are loaded only when telemetry goes somewhere: an
 * app without it pays nothing at its start.
 */
export async function startTelemetry(settings: TelemetrySettings, means: TelemetryMeans): Promise<Telemetry> {
  const kind = telemetryKind(settings);
  if (kind === 'none') return { on: false, stop: async () => undefined };
  const { startSdk } = await import('./sdk.ts');
  const metricIntervalMs = settings.OTEL_METRIC_EXPORT_INTERVAL;
  const { stop, sendLog } = startSdk(await exporters(kind, settings, means), { metricIntervalMs, say: means.say });
  return { on: true, stop, ...(kind !== 'console' && { sendLog }) };
}

async function exporters(
  kind: 'console' | 'otlp' | 'azure',
  settings: TelemetrySettings,
  { identity }: TelemetryMeans,
): Promise<Exporters> {
  switch (kind) {
    case 'console':
      return (await import('./console-exporters.ts')).consoleExporters((line) => process.stdout.write(`${line}\n`));
    case 'otlp':
      return settings.OTEL_EXPORTER_OTLP_PROTOCOL === 'http/json'
        ? (await import('./otlp-json-exporters.ts')).exporters()
        : (await import('./otlp-protobuf-exporters.ts')).exporters();
    case 'azure':
      return (await import('./azure-exporters.ts')).azureExporters(settings, identity);
  }
}
