import { numericCsv } from '../data.ts';
import { median } from '../figure.ts';
import { overhead } from '../host-overhead.ts';
import { peak } from '../memory.ts';
import type { Workbench } from './workbench.ts';

/** Peak memory of the app over one file of 2 GB, two lanes side by side, against one of 100 MB. */
export async function memory2gb({ keyFile, add, say }: Workbench): Promise<void> {
  const properties = { 'batchpoint.miniBatchUnit': 'bytes' };
  const settings = { miniBatchSize: 16 * 1024 * 1024, maxConcurrencyPerInstance: 2, properties };
  const small = (await peak(keyFile, 1, settings)).rssMb;
  say(`rss_2gb, 100 MB: ${small.toFixed(0)} MB`);
  const large = (await peak(keyFile, 20, settings)).rssMb;
  const ours = `${large.toFixed(0)} MB`;
  const ratio = { name: 'rss_2gb_vs_100mb', value: large / small, unit: 'ratio', target: { atMost: 1.15 } };
  add({ figure: ratio, against: 'ours, 100 MB', ours, peer: `${small.toFixed(0)} MB` });
  add({ figure: { name: 'rss_2gb_mb', value: large, unit: 'MB', target: { atMost: 450 } }, against: '', ours });
}

/** What one of 100,000 mini-batches costs beside its data, against one of 1,000; storage in memory. */
export async function overhead100k({ keyFile, add, say }: Workbench): Promise<void> {
  const few: number[] = [];
  const some = async (): Promise<void> => {
    few.push((await overhead(keyFile, 1000)).msPerMiniBatch);
    say(`overhead_100k, 1,000: ${few.at(-1)?.toFixed(2)} ms`);
  };
  await some();
  await some();
  const many = (await overhead(keyFile, 100_000)).msPerMiniBatch;
  await some();
  const small = median(few);
  add({
    figure: { name: 'overhead_100k_vs_1k', value: many / small, unit: 'ratio', target: { atMost: 1.2 } },
    against: 'ours, 1,000',
    ours: `${many.toFixed(2)} ms`,
    peer: `${small.toFixed(2)} ms`,
  });
}

const MINI_BATCHES = 1000;
/** What the host says when it starts an activity or a turn of an orchestration; the others have a reason. */
const DURABLE = /Executing 'Functions\.(\w+)' \(Reason='\(null\)'/g;
const ORCHESTRATIONS = ['scoreJob', 'scoreLane'];

/** Activities of a whole job by its mini-batches of one tiny file. */
export async function activities(bench: Workbench): Promise<void> {
  let said = '';
  const app = await bench.app({ onOutput: (text) => (said += text) });
  const csv = numericCsv(1);
  for (let file = 0; file < MINI_BATCHES; file++)
    await app.data.getBlockBlobClient(`tiny/${String(file).padStart(4, '0')}.csv`).uploadData(csv);
  await app.run('mlp', 'tiny/', { miniBatchSize: 1, maxConcurrencyPerInstance: 2 });
  const started = [...said.matchAll(DURABLE)].filter(([, name = '']) => !ORCHESTRATIONS.includes(name)).length;
  if (started === 0) throw new Error('the host told of no activity');
  const value = started / MINI_BATCHES;
  const figure = { name: 'activities_per_mini_batch', value, unit: 'activities', target: { atMost: 0.1 } };
  bench.add({ figure, against: '', ours: value.toFixed(3) });
}
