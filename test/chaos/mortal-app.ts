import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BlobServiceClient } from '@azure/storage-blob';
import { startStack, type Stack } from '../../cli/stack.ts';
import { freePort } from '../../cli/port.ts';
import { connectedApp, type App } from '../support/app.ts';
import { startAzurite } from '../support/azurite.ts';
import { faultProxy, FAULTS, type Fault, type FaultProxy } from '../support/fault-proxy.ts';
import { seeded } from './seeded.ts';

export interface MortalOptions {
  readonly seed: number;
  /** Share of the storage requests with a fault, 0 to 1. */
  readonly faults?: number;
  readonly settings?: Readonly<Record<string, string>>;
}

/** An app whose host is killed and started again over the same storage, which may be faulty. */
export interface MortalApp {
  readonly app: App;
  /** `kill -9` of the host's process at once. */
  kill(): Promise<void>;
  /** The same host again, on the same port and storage. */
  start(): Promise<void>;
  /** Faults begin (they do not before): how often each kind was met so far. */
  letFaultsIn(): void;
  readonly met: Readonly<Record<Fault, number>>;
  /** Blobs that have uncommitted blocks and nothing else. */
  uncommitted(): Promise<string[]>;
  /** Instances of the task hub that have not ended. */
  openInstances(): Promise<unknown>;
  stop(): Promise<void>;
}

export async function mortalApp({ seed, faults = 0, settings = {} }: MortalOptions): Promise<MortalApp> {
  const folder = await mkdtemp(join(tmpdir(), 'batchpoint-chaos-'));
  const azurite = await startAzurite();
  const random = seeded(seed);
  const met: Record<Fault, number> = { error: 0, busy: 0, reset: 0, slow: 0, lostAnswer: 0 };
  let open = false;
  const draw = (): Fault | undefined => {
    if (!open || random() >= faults) return undefined;
    const fault = FAULTS[Math.floor(random() * FAULTS.length)];
    if (fault !== undefined) met[fault]++;
    return fault;
  };
  const proxies: FaultProxy[] = [];
  const through = async (): Promise<string> => {
    let connection = azurite.connectionString;
    for (const port of [azurite.blobPort, azurite.queuePort, azurite.tablePort]) {
      const proxy = await faultProxy({ targetPort: port, draw });
      proxies.push(proxy);
      connection = connection.replace(`:${port}/`, `:${proxy.port}/`);
    }
    return connection;
  };
  const connection = faults > 0 ? await through() : azurite.connectionString;
  const port = await freePort();
  let stack: Stack | undefined;
  const start = async (): Promise<void> => {
    stack = await startStack({
      port,
      storagePort: 0,
      azurite,
      keyFile: join(folder, 'key.json'),
      between: async () => connection,
      settings: {
        BATCHPOINT_SLICE_SECONDS: '0.05',
        BATCHPOINT_LOG_LEVEL: 'warn',
        BATCHPOINT_SEGMENT_FILES: '200',
        ...settings,
      },
    });
  };
  await start();
  const running = (): Stack => {
    if (stack === undefined) throw new Error('the host is dead');
    return stack;
  };
  const { url, issuer } = running();
  const app = await connectedApp(
    url,
    azurite.connectionString,
    (audience) => issuer.sign({ audience }),
    async () => undefined,
  );
  return {
    app,
    met,
    start,
    letFaultsIn: () => void (open = true),
    async kill() {
      const { host, ended } = running();
      host.kill('SIGKILL');
      await ended;
      stack = undefined;
    },
    async uncommitted() {
      const names: string[] = [];
      const service = BlobServiceClient.fromConnectionString(azurite.connectionString);
      const all = service.getContainerClient(app.data.containerName).listBlobsFlat({ includeUncommitedBlobs: true });
      for await (const { name, properties } of all)
        if (properties.contentLength === 0 && !(await app.data.getBlobClient(name).exists())) names.push(name);
      return names;
    },
    async openInstances() {
      const answer = await fetch(
        `${url}/runtime/webhooks/durabletask/instances?runtimeStatus=Running,Pending,Suspended&code=${running().hostKey}`,
      );
      return answer.json();
    },
    async stop() {
      await stack?.stop();
      for (const proxy of proxies) await proxy.stop();
      await azurite.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
