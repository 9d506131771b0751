import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { z } from 'zod';
import { freePort } from '../../cli/port.ts';
import { startStack, type Stack } from '../../cli/stack.ts';
import { connectedApp, type App } from './app.ts';
import { startAzurite } from './azurite.ts';
import { startOtlpReceiver, type OtlpReceiver, type Span } from './otlp-receiver.ts';
import { isComplete } from './span-tree.ts';

/** What writes the span of a job, and ends after it. */
const LAST = ['commitJob', 'settleJob', 'endPipeline'];

/** A line of the app's log. */
const LogLine = z.looseObject({
  level: z.number(),
  msg: z.string(),
  job: z.string().optional(),
  trace_id: z.string().optional(),
  span_id: z.string().optional(),
});
export type LogLine = z.infer<typeof LogLine>;

export interface TracedApp {
  readonly app: App;
  readonly receiver: OtlpReceiver;
  /** Waits for something to arrive. */
  until<T>(look: () => T | undefined): Promise<T>;
  /** All spans of a trace, once so many jobs of it have ended and no span between others is missing. */
  traceOf(traceId: string, jobs?: number): Promise<Span[]>;
  /** What all processes of the app have printed. */
  printed(): string;
  /** Their lines of log. */
  lines(): LogLine[];
  /** `kill -9`, and the same app again over the same storage. */
  killAndStart(): Promise<void>;
  /** Ends the app, which sends what waits; the receiver keeps what it got. */
  end(): Promise<void>;
  stop(): Promise<void>;
}

/** An app of its own that sends its telemetry to a receiver of the test, soon after it happened. */
export async function tracedApp(settings: Readonly<Record<string, string>> = {}): Promise<TracedApp> {
  const folder = await mkdtemp(join(tmpdir(), 'batchpoint-traced-'));
  const [azurite, receiver, port] = await Promise.all([startAzurite(), startOtlpReceiver(), freePort()]);
  let output = '';
  const start = (): Promise<Stack> =>
    startStack({
      ...{ port, storagePort: 0, azurite, keyFile: join(folder, 'key.json') },
      onOutput: (text) => (output += text),
      settings: {
        BATCHPOINT_SLICE_SECONDS: '0.3',
        OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url,
        OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json',
        OTEL_BSP_SCHEDULE_DELAY: '100',
        OTEL_METRIC_EXPORT_INTERVAL: '500',
        ...settings,
      },
    });
  let stack: Stack | undefined = await start();
  let killedAt = -Infinity;
  const { url, issuer } = stack;
  const app = await connectedApp(
    url,
    azurite.connectionString,
    (audience) => issuer.sign({ audience }),
    async () => undefined,
  );
  const end = async (): Promise<void> => {
    await stack?.stop();
    stack = undefined;
  };
  const until = async <T>(look: () => T | undefined): Promise<T> => {
    for (const last = Date.now() + 30_000; ; await wait(50)) {
      const found = look();
      if (found !== undefined) return found;
      if (Date.now() > last) throw new Error(`it did not arrive: ${JSON.stringify(receiver.spans)}`);
    }
  };
  return {
    app,
    receiver,
    until,
    traceOf: (traceId, jobs = 1) =>
      until(() => {
        const all = receiver.spans.filter((span) => span.traceId === traceId);
        const ids = new Set(all.map(({ spanId }) => spanId));
        // A slice that was killed has no span any more; those of its mini-batches may have been sent before.
        const spans = all.filter(
          ({ name, parentSpanId, startTimeUnixNano }) =>
            name !== 'mini-batch' || ids.has(parentSpanId) || startTimeUnixNano > killedAt,
        );
        const ends = spans.filter(({ name }) => LAST.includes(name));
        return ends.length === jobs && isComplete(spans) ? spans : undefined;
      }),
    printed: () => output,
    lines: () =>
      output.split('\n').flatMap((line) => (line.startsWith('{"level":') ? [LogLine.parse(JSON.parse(line))] : [])),
    async killAndStart() {
      killedAt = Date.now();
      stack?.host.kill('SIGKILL');
      await stack?.ended;
      stack = await start();
    },
    end,
    async stop() {
      await end();
      await azurite.stop();
      await receiver.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
