import type { ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { startAzurite, type Azurite } from './azurite.ts';
import type { CertificateFiles } from './certificate.ts';
import { startChild, type Child } from './child.ts';
import { loadDevIssuer, type DevIssuer } from './dev-issuer.ts';
import { Explained, untilAborted } from './exit.ts';
import type { FunctionsHost } from './functions-host.ts';
import { ensureLocalSettings } from './local-settings.ts';
import { freePort } from './port.ts';

/** The project's folder: this file is in cli/ or in dist/cli/. */
export const PROJECT = join(dirname(fileURLToPath(import.meta.url)), import.meta.url.endsWith('.ts') ? '..' : '../..');

/** Where a started app keeps its data and its key; tests move it. */
export const DATA_FOLDER = process.env['BATCHPOINT_FOLDER'] ?? join(PROJECT, '.batchpoint');
export const KEY_FILE = join(DATA_FOLDER, 'dev-issuer.json');

export interface StackOptions {
  /** Port of the app; 0 picks a free one. */
  readonly port: number;
  /** First of Azurite's three ports; 0 picks free ones. */
  readonly storagePort: number;
  /** Azurite's folder; in memory without. */
  readonly folder?: string;
  /** File of the development issuer's key. */
  readonly keyFile: string;
  /** What the app prints. */
  readonly onOutput?: (text: string) => void;
  /** Node's own options for the host's process. */
  readonly execArgv?: readonly string[];
  /** Puts something between the app and its storage: answers the connection string that the app gets. */
  readonly between?: (azurite: Azurite) => Promise<string>;
  /** Storage that runs already; it outlives the app. */
  readonly azurite?: Azurite;
  /** What serves the app; our own host when absent. */
  readonly functionsHost?: FunctionsHost;
  /** Ends the start. */
  readonly signal?: AbortSignal;
  /** App and storage serve HTTPS with it; the embedded host only. */
  readonly certificate?: CertificateFiles;
  /** Settings on top of the usual ones. */
  readonly settings?: Readonly<Record<string, string>>;
}

/** The app and its storage, running. */
export interface Stack {
  /** `http://127.0.0.1:<port>`, or `https://localhost:<port>`, without a slash at the end. */
  readonly url: string;
  readonly connectionString: string;
  /** Azurite's port for blobs. */
  readonly blobPort: number;
  readonly issuer: DevIssuer;
  /** What the host's own addresses want as `code`: `/admin`, `/runtime/webhooks`. Core Tools want none. */
  readonly hostKey: string;
  /** The host's process. */
  readonly host: ChildProcess;
  /** Settles with a line about it when the app, or its storage, has ended. */
  readonly ended: Promise<string>;
  /** What the app printed last. */
  tail(): string;
  stop(): Promise<void>;
}

const Listening = z.object({ state: z.literal('listening'), port: z.number() });

/** Starts Azurite and, over it, the compiled app on the embedded host. Stops what it started when one of them fails. */
export async function startStack(given: StackOptions): Promise<Stack> {
  // The sample is uploaded from here: the SDK would send even that through a proxy that the environment names.
  for (const name of ['NO_PROXY', 'no_proxy'])
    process.env[name] = [process.env[name], 'localhost', '127.0.0.1', '[::1]'].filter(Boolean).join(',');
  // Over HTTPS the app must be told its own address, which nothing that the host sets has the scheme of.
  const options = given.certificate && given.port === 0 ? { ...given, port: await freePort() } : given;
  const issuer = await loadDevIssuer(options.keyFile);
  await ensureLocalSettings(PROJECT, issuer.jwks);
  if (options.folder !== undefined) await mkdir(options.folder, { recursive: true, mode: 0o700 });
  const azurite = await storageOf(options);
  let host: Child | undefined;
  try {
    options.signal?.throwIfAborted();
    const connection = (await options.between?.(azurite)) ?? azurite.connectionString;
    const hostKey = randomBytes(32).toString('base64url');
    const started = await startHost(options, connection, issuer, hostKey);
    host = started;
    const port = await listening(started, options);
    return {
      url: options.certificate ? `https://localhost:${port}` : `http://127.0.0.1:${port}`,
      connectionString: azurite.connectionString,
      blobPort: azurite.blobPort,
      issuer,
      hostKey,
      host: started.process,
      ended: Promise.race([azurite.ended, started.ended.then(() => `The app ended by itself (${started.end()}).`)]),
      tail: () => started.tail(),
      async stop() {
        await started.stop();
        await azurite.stop();
      },
    };
  } catch (error) {
    await host?.stop();
    await azurite.stop();
    throw error;
  }
}

async function storageOf({ azurite, storagePort: first, folder, certificate }: StackOptions): Promise<Azurite> {
  if (azurite !== undefined) return { ...azurite, stop: async () => undefined };
  return startAzurite({
    ports: first === 0 ? [0, 0, 0] : [first, first + 1, first + 2],
    ...(folder === undefined ? {} : { folder }),
    ...(certificate ? { certificate } : {}),
  });
}

/**
 * How V8 keeps the app's memory. Bytes that stream through die young, but V8 counts them only when it collects: with its usual 16 MB
 * of young space it marks the whole heap for them, five times a second while a file is read, and with 2 MB it sweeps the young ones in
 * time. After a pause it lets the heap grow so little that the first job marked it once more; up to 96 MB it need not.
 */
export const HEAP = ['--max-semi-space-size=2', '--initial-old-space-size=96'];

/** Where jobs may read and write, unless whoever starts the app says otherwise. */
const EVERYTHING = '[{"deployment":"*","datastore":"*","access":["read","write"]}]';

async function startHost(
  options: StackOptions,
  connection: string,
  issuer: DevIssuer,
  hostKey: string,
): Promise<Child> {
  const datastores = [{ name: 'workspaceblobstore', connection, container: 'azureml-blobstore' }];
  const [script, ...args] = await hostCommand(options);
  return startChild(script, args, {
    cwd: PROJECT,
    env: {
      AzureWebJobsStorage: connection,
      // The same for the worker that Core Tools start.
      languageWorkers__node__arguments: HEAP.join(' '),
      BATCHPOINT_STATE: connection,
      BATCHPOINT_DATASTORES: JSON.stringify(datastores),
      BATCHPOINT_DEV_JWKS: issuer.jwks,
      BATCHPOINT_HOST_KEY: hostKey,
      // Whoever runs this has the code and the storage on the same machine.
      BATCHPOINT_ALLOW_CODE: 'true',
      BATCHPOINT_GRANTS: process.env['BATCHPOINT_GRANTS'] ?? EVERYTHING,
      ...(options.certificate ? httpsSettings(options.certificate, options.port) : {}),
      ...options.settings,
    },
    execArgv: [...HEAP, ...(options.execArgv ?? [])],
    ...(options.onOutput ? { onOutput: options.onOutput } : {}),
    hasChildren: options.functionsHost?.name === 'func',
  });
}

/** Node reads NODE_EXTRA_CA_CERTS once, when it starts. */
const httpsSettings = ({ ca }: CertificateFiles, port: number): Record<string, string> => ({
  NODE_EXTRA_CA_CERTS: ca,
  BATCHPOINT_BASE_URL: `https://localhost:${port}`,
});

/** Script and arguments of the process that serves the app. */
async function hostCommand({ functionsHost, port, certificate }: StackOptions): Promise<[string, ...string[]]> {
  if (functionsHost?.name !== 'func') {
    const secure = certificate ? ['--cert', certificate.cert, '--key', certificate.key] : [];
    return [join(PROJECT, 'dist/local/main.js'), '--port', String(port), '--root', PROJECT, ...secure];
  }
  const script = fileURLToPath(
    new URL(import.meta.url.endsWith('.ts') ? './func-host.ts' : './func-host.js', import.meta.url),
  );
  // Core Tools take no port of the system's choice.
  return [script, functionsHost.path, String(port === 0 ? await freePort() : port)];
}

/** The port on which the app answers. Throws with its output, unless that is on the screen, when it ends instead. */
async function listening(host: Child, { onOutput, signal }: StackOptions): Promise<number> {
  const message = once(host.process, 'message').then(([first]: unknown[]) => Listening.parse(first).port);
  const end = host.ended.then(() => {
    if (onOutput !== undefined) throw new Explained('The app did not start.');
    throw new Error(host.tail().trim() || `The app did not start (${host.end()}).`);
  });
  return Promise.race([message, end, ...(signal === undefined ? [] : [untilAborted(signal)])]);
}
