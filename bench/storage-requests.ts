import { setTimeout as wait } from 'node:timers/promises';
import type { Azurite } from '../cli/azurite.ts';
import { countingProxy, type CountingProxy } from './counting-proxy.ts';
import { numericCsv } from './data.ts';
import type { Figure } from './figure.ts';
import { scoringApp, type ScoringApp } from './scoring-app.ts';

const MINI_BATCHES = 50;
const FILES_OF_MINI_BATCH = 10;
const FOLDER = 'small/';

/** Every request that a job makes to storage, counted at the wire, by its mini-batches of ten files. */
export async function storageRequests(keyFile: string, add: (figure: Figure) => void): Promise<void> {
  const proxies: CountingProxy[] = [];
  const between = async (azurite: Azurite): Promise<string> => {
    let connection = azurite.connectionString;
    for (const port of [azurite.blobPort, azurite.tablePort]) {
      const proxy = await countingProxy(port);
      proxies.push(proxy);
      connection = connection.replace(`:${port}/`, `:${proxy.port}/`);
    }
    return connection;
  };
  const app = await scoringApp(keyFile, { between });
  try {
    const csv = numericCsv(20);
    for (let file = 0; file < MINI_BATCHES * FILES_OF_MINI_BATCH; file++)
      await app.data.getBlockBlobClient(`${FOLDER}${String(file).padStart(4, '0')}.csv`).uploadData(csv);
    // The first job loads the model.
    await unwatchedJob(app, proxies);
    for (const proxy of proxies) proxy.reset();
    const requests = await unwatchedJob(app, proxies);
    add({ name: 'requests_per_minibatch', value: requests / MINI_BATCHES, unit: 'requests', target: { atMost: 13 } });
  } finally {
    await app.stop();
    for (const proxy of proxies) await proxy.stop();
  }
}

/** Waits past the proxies, since asking the app would count; answers the requests made so far. */
async function unwatchedJob(app: ScoringApp, proxies: readonly CountingProxy[]): Promise<number> {
  const total = (): number => proxies.reduce((sum, proxy) => sum + proxy.count(), 0);
  const name = await app.invoke('mlp', FOLDER, { miniBatchSize: FILES_OF_MINI_BATCH });
  const output = app.data.getBlobClient(`azureml/${name}/score/predictions.csv`);
  while (!(await output.exists())) await wait(50);
  for (let before = -1; before !== total(); await wait(400)) before = total();
  return total();
}
