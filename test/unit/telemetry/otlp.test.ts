import { afterEach, expect, it, vi } from 'vitest';
import { z } from 'zod';
import { appLog } from '../../../shared/telemetry/app-log.ts';
import { inScope } from '../../../shared/telemetry/job-scope.ts';
import { count } from '../../../shared/telemetry/metrics.ts';
import { telemetrySettings } from '../../../shared/telemetry/settings.ts';
import { inSpan } from '../../../shared/telemetry/spans.ts';
import { startTelemetry } from '../../../shared/telemetry/start-telemetry.ts';
import { startOtlpReceiver } from '../../support/otlp-receiver.ts';

afterEach(() => vi.unstubAllEnvs());

it('sends spans, metrics and lines of log as protobuf, and says what did not arrive', async () => {
  const receiver = await startOtlpReceiver();
  vi.stubEnv('OTEL_EXPORTER_OTLP_ENDPOINT', receiver.url);
  vi.stubEnv('OTEL_EXPORTER_OTLP_TIMEOUT', '1000');
  const faults: string[] = [];
  const telemetry = await startTelemetry(z.object(telemetrySettings).parse(process.env), {
    say: (fault) => faults.push(fault),
    identity: { getToken: async () => null },
  });
  const log = appLog('warn');
  log.sendTo(telemetry);
  await inScope({ job: 'job-of-the-line' }, () =>
    inSpan('name-of-the-span', {}, async () => {
      count('batchpoint.rows', 1);
      log.info({}, 'too quiet');
      log.warn({ files: ['a', 'b'] }, 'text of the line');
    }),
  );
  await telemetry.stop();
  const sent = receiver.received.toSorted((a, b) => a.path.localeCompare(b.path));
  expect(sent.map(({ path, type }) => `${path} ${type}`)).toEqual(
    ['logs', 'metrics', 'traces'].map((signal) => `/v1/${signal} application/x-protobuf`),
  );
  const [logs, metrics, traces] = sent.map(({ body }) => body);
  for (const text of ['text of the line', 'job-of-the-line', '["a","b"]']) expect(logs).toContain(text);
  expect(logs).not.toContain('too quiet');
  expect(metrics).toContain('batchpoint.rows');
  expect(traces).toContain('name-of-the-span');
  expect(faults).toEqual([]);
  await receiver.stop();
});
