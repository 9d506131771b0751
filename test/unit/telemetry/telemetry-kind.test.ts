import { describe, expect, it, test } from 'vitest';
import { telemetryKind, telemetrySettings } from '../../../shared/telemetry/settings.ts';
import { startTelemetry } from '../../../shared/telemetry/start-telemetry.ts';
import { inSpan } from '../../../shared/telemetry/spans.ts';
import { logContext } from '../../../shared/telemetry/job-scope.ts';
import { newJobTrace } from '../../../shared/telemetry/job-span.ts';
import { count, took } from '../../../shared/telemetry/metrics.ts';
import { z } from 'zod';

const read = (environment: Readonly<Record<string, string>>) => z.object(telemetrySettings).parse(environment);

const identity = { getToken: async () => null };

const INSIGHTS = { APPLICATIONINSIGHTS_CONNECTION_STRING: 'InstrumentationKey=0' };
const OTLP = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:4318' };

describe('telemetry goes', () => {
  test.each([
    ['nowhere by default', {}, 'none'],
    ['to Application Insights where there is one', INSIGHTS, 'azure'],
    ['to an OTLP receiver where there is one', OTLP, 'otlp'],
    ['to Application Insights where there are both', { ...INSIGHTS, ...OTLP }, 'azure'],
    ['where it was asked for', { ...INSIGHTS, ...OTLP, BATCHPOINT_TELEMETRY: 'otlp' }, 'otlp'],
    ['to the console', { ...INSIGHTS, BATCHPOINT_TELEMETRY: 'console' }, 'console'],
    ['nowhere when that was asked for', { ...INSIGHTS, ...OTLP, BATCHPOINT_TELEMETRY: 'none' }, 'none'],
  ])('%s', (_, environment, kind) => {
    expect(telemetryKind(read(environment))).toBe(kind);
  });

  it('not to an Application Insights that nobody has named', () => {
    expect(() => telemetryKind(read({ BATCHPOINT_TELEMETRY: 'azure' }))).toThrow(
      'BATCHPOINT_TELEMETRY is azure, but APPLICATIONINSIGHTS_CONNECTION_STRING is missing.',
    );
  });
});

it('without telemetry work runs as it is, and nothing is traced', async () => {
  const telemetry = await startTelemetry(read({}), { say: () => undefined, identity });
  expect(telemetry).toMatchObject({ on: false });
  count('batchpoint.rows', 1);
  took('batchpoint.job.duration', 1);
  const seen = await inSpan('work', {}, async () => ({ log: logContext(), trace: newJobTrace() }));
  expect(seen).toEqual({ log: {}, trace: {} });
  await telemetry.stop();
});
