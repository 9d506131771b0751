import { expect, it } from 'vitest';
import { z } from 'zod';
import { StorageFault } from '../../../shared/storage/ports.ts';
import { consoleExporters } from '../../../shared/telemetry/console-exporters.ts';
import { inScope } from '../../../shared/telemetry/job-scope.ts';
import { belowJob, newJobTrace, writeJobSpan } from '../../../shared/telemetry/job-span.ts';
import { count, took } from '../../../shared/telemetry/metrics.ts';
import { startSdk } from '../../../shared/telemetry/sdk.ts';
import { inSpan, noteEvent } from '../../../shared/telemetry/spans.ts';

const Printed = z.looseObject({ start: z.string().optional(), ms: z.number().optional() });

it('prints one line for each span and each value, with a fault’s code, status and request id but not its words', async () => {
  const lines: string[] = [];
  const faults: string[] = [];
  const sdk = startSdk(
    consoleExporters((line) => lines.push(line)),
    { metricIntervalMs: 60_000, say: (fault) => faults.push(fault) },
  );
  const secret = new StorageFault('read c/a.csv?sig=secret', 403, 'AuthorizationFailure', 'request-1');
  const trace = await inScope({ job: 'j', endpoint: 'e', deployment: 'd' }, async () => {
    const of = await inSpan('request', { kind: 'server' }, async () => newJobTrace().trace);
    await expect(
      inSpan('planJob', { below: belowJob(of), attributes: { 'batchpoint.job': 'j' } }, async () => {
        noteEvent('try failed', { 'batchpoint.attempt': 1 });
        throw secret;
      }),
    ).rejects.toBe(secret);
    if (of) writeJobSpan(of, { name: 'scoring job', from: 1000, to: 3500, attributes: {}, failure: 'Bad' });
    count('batchpoint.rows', 3);
    count('batchpoint.rows', 4);
    count('batchpoint.files', 0);
    took('batchpoint.plan.duration', 1500);
    return of;
  });
  await sdk.stop();
  const [, traceId, jobId] = trace?.traceparent.split('-') ?? [];
  const [request, plan, job, ...values] = lines.map((line) => {
    const { start, ms, ...rest } = Printed.parse(JSON.parse(line));
    return rest['span'] === 'scoring job' ? { start, ms, ...rest } : rest;
  });
  expect(request).toEqual({ span: 'request', trace_id: traceId, span_id: trace?.parent });
  expect(traceId).toMatch(/^[0-9a-f]{32}$/);
  expect(plan).toMatchObject({
    ...{ trace_id: traceId, parent_id: jobId },
    ...{ span: 'planJob', failed: 'AuthorizationFailure' },
    'batchpoint.job': 'j',
    'error.type': 'AuthorizationFailure',
    'batchpoint.fault.status': 403,
    'batchpoint.fault.request_id': 'request-1',
    events: [{ event: 'try failed', 'batchpoint.attempt': 1 }],
  });
  expect(lines.join()).not.toContain('secret');
  expect(job).toEqual({
    ...{ span: 'scoring job', start: '1970-01-01T00:00:01.000Z', ms: 2500, failed: 'Bad', 'error.type': 'Bad' },
    ...{ trace_id: traceId, span_id: jobId, parent_id: trace?.parent },
  });
  const of = { 'batchpoint.endpoint': 'e', 'batchpoint.deployment': 'd' };
  expect(values).toEqual([
    { metric: 'batchpoint.rows', unit: '{row}', value: 7, ...of },
    { metric: 'batchpoint.plan.duration', unit: 's', count: 1, sum: 1.5, min: 1.5, max: 1.5, ...of },
  ]);
  expect(faults).toEqual([]);
});
