import {
  AzureMonitorLogExporter,
  AzureMonitorMetricExporter,
  AzureMonitorTraceExporter,
} from '@azure/monitor-opentelemetry-exporter';
import type { TokenCredential } from '@azure/identity';
import type { Exporters } from './sdk.ts';
import type { TelemetrySettings } from './settings.ts';

/** Application Insights. The exporters alone, not the distribution: that one brings instrumentations that record whole URLs. */
export function azureExporters(settings: TelemetrySettings, identity: TokenCredential): Exporters {
  const { APPLICATIONINSIGHTS_CONNECTION_STRING: connectionString } = settings;
  if (connectionString === undefined) throw new Error('APPLICATIONINSIGHTS_CONNECTION_STRING is missing.');
  const wantsIdentity = /(^|;)\s*Authorization\s*=\s*AAD\s*(;|$)/i.test(
    settings.APPLICATIONINSIGHTS_AUTHENTICATION_STRING ?? '',
  );
  const options = { connectionString, disableOfflineStorage: true, ...(wantsIdentity && { credential: identity }) };
  return {
    spans: new AzureMonitorTraceExporter(options),
    metrics: new AzureMonitorMetricExporter(options),
    logs: new AzureMonitorLogExporter(options),
  };
}
