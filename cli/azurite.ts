import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import type { CertificateFiles } from './certificate.ts';
import { startChild, type Child } from './child.ts';

/** Azurite's published development account; its key opens nothing but an emulator. */
const ACCOUNT = 'devstoreaccount1';
const KEY = 'Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==';

export interface Azurite {
  readonly connectionString: string;
  readonly blobPort: number;
  readonly queuePort: number;
  readonly tablePort: number;
  /** Settles with a line about it when it has ended. */
  readonly ended: Promise<string>;
  stop(): Promise<void>;
}

export interface AzuriteOptions {
  /** Ports of blobs, queues and tables; 0 lets the system choose. */
  readonly ports: readonly [blob: number, queue: number, table: number];
  /** Folder of its data; in memory without. */
  readonly folder?: string;
  /** Serves HTTPS with it, and then nothing else. */
  readonly certificate?: CertificateFiles;
  /** Takes bearer tokens, too, whoever has signed them; they need HTTPS. */
  readonly tokens?: boolean;
}

const READY_WITHIN_MS = 45_000;

/** Left alone, Azurite would outlive us when we are killed, and our channel to it would keep it alive when it is to end. */
const END_WITH_PARENT =
  'data:text/javascript,process.on("disconnect",()=>process.kill(process.pid,"SIGTERM"));process.channel?.unref();';

/**
 * Starts Azurite and waits until all three services listen. Its speed falls with what it holds: take a fresh one for a large
 * test. Throws with its output when it does not come up.
 */
export async function startAzurite(options: AzuriteOptions): Promise<Azurite> {
  const {
    ports: [blob, queue, table],
    folder,
    certificate,
    tokens = false,
  } = options;
  const scheme = certificate ? 'https' : 'http';
  const script = findAzurite();
  const places = ['--blobPort', blob, '--queuePort', queue, '--tablePort', table].map(String);
  const kept = folder === undefined ? ['--inMemoryPersistence'] : ['--location', folder];
  const secure = certificate ? ['--cert', certificate.cert, '--key', certificate.key] : [];
  const oauth = tokens ? ['--oauth', 'basic'] : [];
  const quiet = ['--silent', '--disableTelemetry', '--skipApiVersionCheck'];
  const ports = awaitPorts();
  const child = startChild(script, [...places, ...kept, ...secure, ...oauth, ...quiet], {
    execArgv: ['--import', END_WITH_PARENT],
    onOutput: ports.hear,
  });
  const [blobPort, queuePort, tablePort] = await ready(child, ports.all);
  const endpoint = (service: string, port: number): string =>
    `${service}Endpoint=${scheme}://127.0.0.1:${port}/${ACCOUNT}`;
  return {
    connectionString: [
      `DefaultEndpointsProtocol=${scheme}`,
      `AccountName=${ACCOUNT}`,
      `AccountKey=${KEY}`,
      endpoint('Blob', blobPort),
      endpoint('Queue', queuePort),
      endpoint('Table', tablePort),
    ].join(';'),
    blobPort,
    queuePort,
    tablePort,
    ended: child.ended.then(() => `The storage (Azurite) ended by itself (${child.end()}).`),
    stop: () => child.stop(),
  };
}

function findAzurite(): string {
  try {
    return join(dirname(createRequire(import.meta.url).resolve('azurite/package.json')), 'dist/src/azurite.js');
  } catch (error) {
    throw new Error('Azurite is not installed: run npm ci in the project (it is a development dependency).', {
      cause: error,
    });
  }
}

type Ports = [blob: number, queue: number, table: number];

/** Azurite says where each service listens once it does. */
function awaitPorts(): { hear(text: string): void; all: Promise<Ports> } {
  let said = '';
  const { promise, resolve } = Promise.withResolvers<Ports>();
  const portOf = (service: string): number =>
    Number(
      new RegExp(`${service} service is successfully listening at https?://127\\.0\\.0\\.1:(\\d+)`).exec(said)?.[1],
    );
  return {
    all: promise,
    hear(text) {
      said += text;
      const [blob, queue, table] = [portOf('Blob'), portOf('Queue'), portOf('Table')];
      if (blob && queue && table) resolve([blob, queue, table]);
    },
  };
}

async function ready(child: Child, ports: Promise<Ports>): Promise<Ports> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<'was not ready in time'>((resolve) => {
    timer = setTimeout(() => resolve('was not ready in time'), READY_WITHIN_MS);
  });
  const answer = await Promise.race([ports, late, child.ended.then(() => 'did not start' as const)]);
  clearTimeout(timer);
  if (typeof answer !== 'string') return answer;
  await child.stop();
  throw new Error(`Azurite ${answer}:\n${child.tail()}`);
}
