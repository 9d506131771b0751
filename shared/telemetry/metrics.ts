import { metrics, type Counter, type Histogram, type MeterProvider } from '@opentelemetry/api';
import { presentScope, type JobScope } from './job-scope.ts';

/** Everything that is counted, with its unit (UCUM) and what it counts. */
const COUNTERS = {
  'batchpoint.jobs.started': ['{job}', 'Jobs accepted'],
  'batchpoint.jobs.ended': ['{job}', 'Jobs ended, by state'],
  'batchpoint.mini_batches': ['{mini_batch}', 'Mini-batches scored'],
  'batchpoint.files': ['{file}', 'Files scored, by outcome'],
  'batchpoint.rows': ['{row}', 'Rows of predictions'],
  'batchpoint.failures': ['{failure}', 'Failed files and records, by code'],
  'batchpoint.input': ['By', 'Bytes of the files scored'],
  'batchpoint.output': ['By', 'Bytes of predictions'],
} as const;

/** From a mini-batch of milliseconds to a job of days. */
const SECONDS = [0.005, 0.02, 0.1, 0.5, 1, 2, 5, 10, 30, 60, 300, 900, 3600, 14_400, 86_400];

const DURATIONS = {
  'batchpoint.job.duration': 'From accepted to ended',
  'batchpoint.job.queue_wait': 'From accepted to the first row',
  'batchpoint.slice.duration': 'One run of a slice',
  'batchpoint.mini_batch.duration': 'One mini-batch with all its tries',
  'batchpoint.plan.duration': 'One run of the planning',
  'batchpoint.commit.duration': 'One run of the fan-in',
} as const;

export type CounterName = keyof typeof COUNTERS;
export type DurationName = keyof typeof DURATIONS;

interface Instruments {
  readonly provider: MeterProvider;
  readonly counters: Map<CounterName, Counter>;
  readonly durations: Map<DurationName, Histogram>;
}

let made: Instruments | undefined;

/** Made of the provider that is there: the API's meters, unlike its tracers, do not turn to one that comes later. */
function instruments(): Instruments {
  const provider = metrics.getMeterProvider();
  if (made?.provider !== provider) made = { provider, counters: new Map(), durations: new Map() };
  return made;
}

/** The few values that a metric is told apart by: endpoint and deployment, of the present job where none is given. */
const labels = ({ endpoint, deployment }: JobScope, more: Readonly<Record<string, string>>) => ({
  ...(typeof endpoint === 'string' && { 'batchpoint.endpoint': endpoint }),
  ...(typeof deployment === 'string' && { 'batchpoint.deployment': deployment }),
  ...more,
});

/** Adds to a counter; of nothing it stays silent. */
export function count(
  name: CounterName,
  value: number,
  more: Readonly<Record<string, string>> = {},
  of?: JobScope,
): void {
  if (value === 0) return;
  const { provider, counters } = instruments();
  let counter = counters.get(name);
  if (!counter) {
    const [unit, description] = COUNTERS[name];
    counter = provider.getMeter('batchpoint').createCounter(name, { unit, description });
    counters.set(name, counter);
  }
  counter.add(value, labels(of ?? presentScope(), more));
}

/** Notes how long something took, in milliseconds; it is told in seconds. */
export function took(name: DurationName, ms: number, more: Readonly<Record<string, string>> = {}, of?: JobScope): void {
  const { provider, durations } = instruments();
  let histogram = durations.get(name);
  if (!histogram) {
    const advice = { explicitBucketBoundaries: SECONDS };
    const options = { unit: 's', description: DURATIONS[name], advice };
    histogram = provider.getMeter('batchpoint').createHistogram(name, options);
    durations.set(name, histogram);
  }
  histogram.record(Math.max(0, ms) / 1000, labels(of ?? presentScope(), more));
}
