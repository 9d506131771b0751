import { z } from 'zod';
import { startHttp } from './http-server.ts';

const Values = z
  .array(
    z.object({
      key: z.string(),
      value: z.object({
        stringValue: z.string().optional(),
        intValue: z.union([z.number(), z.string().transform(Number)]).optional(),
        doubleValue: z.number().optional(),
        boolValue: z.boolean().optional(),
      }),
    }),
  )
  .default([])
  .transform((all) =>
    Object.fromEntries(
      all.map(({ key, value: { stringValue, intValue, doubleValue, boolValue } }) => [
        key,
        stringValue ?? intValue ?? doubleValue ?? boolValue,
      ]),
    ),
  );

const Nanoseconds = z.string().transform((text) => Number(text) / 1e6);

const Span = z.object({
  traceId: z.string(),
  spanId: z.string(),
  parentSpanId: z.string().default(''),
  name: z.string(),
  kind: z.number(),
  startTimeUnixNano: Nanoseconds,
  endTimeUnixNano: Nanoseconds,
  attributes: Values,
  status: z.object({ code: z.number().default(0), message: z.string().optional() }).default({ code: 0 }),
  events: z.array(z.object({ name: z.string(), attributes: Values })).default([]),
  links: z.array(z.object({ traceId: z.string(), spanId: z.string() })).default([]),
});
/** A span as it arrived; times in milliseconds since 1970. */
export type Span = z.infer<typeof Span>;

const Traces = z.object({
  resourceSpans: z.array(z.object({ scopeSpans: z.array(z.object({ spans: z.array(Span) })) })),
});

const Point = z.object({
  attributes: Values,
  asInt: z.union([z.number(), z.string().transform(Number)]).optional(),
  asDouble: z.number().optional(),
  count: z.union([z.number(), z.string().transform(Number)]).optional(),
  sum: z.number().optional(),
});
const Points = z.object({ dataPoints: z.array(Point) });
const Metrics = z.object({
  resourceMetrics: z.array(
    z.object({
      scopeMetrics: z.array(
        z.object({
          metrics: z.array(z.object({ name: z.string(), sum: Points.optional(), histogram: Points.optional() })),
        }),
      ),
    }),
  ),
});

/** A value of a metric: of a counter its sum, of a histogram how many values it has. */
export interface Value {
  readonly attributes: Readonly<Record<string, unknown>>;
  readonly value: number;
}

export interface OtlpReceiver {
  readonly url: string;
  /** All that arrived, in order of arrival. */
  readonly spans: readonly Span[];
  /** The last values of a metric; they are sums since the app's start. */
  values(metric: string): readonly Value[];
  /** Every body that was sent, as text, by its path and content type. */
  readonly received: readonly { readonly path: string; readonly type: string; readonly body: string }[];
  stop(): Promise<void>;
}

/** Takes what an app exports by OTLP over HTTP. Bodies of JSON are read; of others only the text is kept. */
export async function startOtlpReceiver(): Promise<OtlpReceiver> {
  const spans: Span[] = [];
  const metrics = new Map<string, Value[]>();
  const received: { path: string; type: string; body: string }[] = [];
  const take = (path: string, body: string): void => {
    if (path === '/v1/traces')
      for (const { scopeSpans } of Traces.parse(JSON.parse(body)).resourceSpans)
        for (const scope of scopeSpans) spans.push(...scope.spans);
    if (path === '/v1/metrics')
      for (const { scopeMetrics } of Metrics.parse(JSON.parse(body)).resourceMetrics)
        for (const { name, sum, histogram } of scopeMetrics.flatMap((scope) => scope.metrics))
          metrics.set(
            name,
            (sum ?? histogram)?.dataPoints.map(({ attributes, asInt, asDouble, count }) => ({
              attributes,
              value: asInt ?? asDouble ?? count ?? NaN,
            })) ?? [],
          );
  };
  const server = await startHttp((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const type = request.headers['content-type'] ?? '';
      const body = Buffer.concat(chunks).toString(type === 'application/json' ? 'utf8' : 'latin1');
      received.push({ path: request.url ?? '', type, body });
      if (type === 'application/json') take(request.url ?? '', body);
      response.writeHead(200, { 'content-type': type }).end(type === 'application/json' ? '{}' : '');
    });
  });
  return { url: server.url, spans, values: (metric) => metrics.get(metric) ?? [], received, stop: server.stop };
}
