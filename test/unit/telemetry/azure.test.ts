import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import type { RequestListener } from 'node:http';
import { createServer } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { gunzipSync } from 'node:zlib';
import { afterEach, expect, it, vi } from 'vitest';
import { z } from 'zod';
import { ensureCertificate } from '../../../cli/certificate.ts';
import { appLog } from '../../../shared/telemetry/app-log.ts';
import { inScope } from '../../../shared/telemetry/job-scope.ts';
import { count } from '../../../shared/telemetry/metrics.ts';
import { telemetrySettings } from '../../../shared/telemetry/settings.ts';
import { inSpan } from '../../../shared/telemetry/spans.ts';
import { startTelemetry } from '../../../shared/telemetry/start-telemetry.ts';

afterEach(() => vi.unstubAllEnvs());

const Envelope = z.object({
  name: z.string(),
  tags: z.looseObject({ 'ai.operation.id': z.string().optional(), 'ai.operation.parentId': z.string().optional() }),
  data: z.object({ baseType: z.string(), baseData: z.looseObject({ id: z.string().optional() }) }),
});
type Envelope = z.infer<typeof Envelope>;

/** The exporter speaks HTTPS alone. */
async function startHttps(listener: RequestListener): Promise<{ url: string; stop(): Promise<void> }> {
  const folder = await mkdtemp(join(tmpdir(), 'batchpoint-insights-'));
  const { ca, cert, key } = await ensureCertificate(folder);
  setDefaultCACertificates([...getCACertificates(), await readFile(ca, 'utf8')]);
  const server = createServer({ cert: await readFile(cert), key: await readFile(key) }, listener).listen(
    0,
    '127.0.0.1',
  );
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the server has no port');
  return {
    url: `https://localhost:${address.port}`,
    async stop() {
      server.closeAllConnections();
      server.close();
      await rm(folder, { recursive: true });
    },
  };
}

it('sends requests, dependencies, metrics and lines of log to Application Insights', async () => {
  vi.stubEnv('APPLICATION_INSIGHTS_NO_STATSBEAT', '1');
  const envelopes: Envelope[] = [];
  const server = await startHttps((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const sent = Buffer.concat(chunks);
      const text = (request.headers['content-encoding'] === 'gzip' ? gunzipSync(sent) : sent).toString('utf8');
      const found = z.array(Envelope).parse(JSON.parse(text));
      envelopes.push(...found);
      const answer = { itemsReceived: found.length, itemsAccepted: found.length, errors: [] };
      response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(answer));
    });
  });
  const faults: string[] = [];
  const settings = z.object(telemetrySettings).parse({
    APPLICATIONINSIGHTS_CONNECTION_STRING: `InstrumentationKey=00000000-0000-0000-0000-000000000001;IngestionEndpoint=${server.url}/`,
  });
  const identity = { getToken: async () => null };
  const telemetry = await startTelemetry(settings, { say: (fault) => faults.push(fault), identity });
  const log = appLog('error');
  log.sendTo(telemetry);
  await inScope({ job: 'the-job', endpoint: 'e', deployment: 'd' }, () =>
    inSpan(
      'POST /jobs',
      { kind: 'server', attributes: { 'http.request.method': 'POST', 'http.response.status_code': 201 } },
      () =>
        inSpan('mini-batch', { attributes: { 'batchpoint.mini_batch': 3 } }, async () => {
          count('batchpoint.rows', 5);
          log.error({}, 'the line');
        }),
    ),
  );
  await telemetry.stop();
  await server.stop();
  expect(faults).toEqual([]);
  const of = (baseType: string) =>
    envelopes.flatMap(({ tags, data }) => (data.baseType === baseType ? [{ ...data.baseData, tags }] : []));
  const [request] = of('RequestData');
  const [dependency] = of('RemoteDependencyData');
  expect(request).toMatchObject({ name: 'POST /jobs', success: true, responseCode: '201' });
  const operation = { 'ai.operation.id': request?.tags['ai.operation.id'] };
  expect(dependency).toMatchObject({
    ...{ name: 'mini-batch', type: 'InProc', success: true, properties: { 'batchpoint.mini_batch': '3' } },
    tags: { ...operation, 'ai.operation.parentId': request?.id, 'ai.cloud.role': 'batchpoint' },
  });
  expect(of('MessageData')).toMatchObject([
    {
      ...{ message: 'the line', severityLevel: 'Error', properties: { job: 'the-job' } },
      tags: { ...operation, 'ai.operation.parentId': dependency?.id },
    },
  ]);
  expect(of('MetricData')).toContainEqual(
    expect.objectContaining({
      metrics: [{ name: 'batchpoint.rows', kind: 'Aggregation', value: 5, count: 1 }],
      properties: { 'batchpoint.endpoint': 'e', 'batchpoint.deployment': 'd' },
    }),
  );
});
