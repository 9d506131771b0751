import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { startAzurite, type Azurite } from './azurite.ts';
import { startChild, type Child } from './child.ts';
import { loadDevIssuer, type DevIssuer } from './dev-issuer.ts';
import { ensureLocalSettings } from './local-settings.ts';

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
  /** Settings on top of the usual ones. */
  readonly settings?: Readonly<Record<string, string>>;
}

/** The app and its storage, running. */
export interface Stack {
  /** `http://127.0.0.1:<port>` without a slash at the end. */
  readonly url: string;
  readonly connectionString: string;
  readonly issuer: DevIssuer;
  /** The host's process. */
  readonly host: ChildProcess;
  /** Settles when the app ends by itself. */
  readonly ended: Promise<number | null>;
  /** What the app printed last. */
  tail(): string;
  stop(): Promise<void>;
}

const Listening = z.object({ state: z.literal('listening'), port: z.number() });

/** Starts Azurite and, over it, the compiled app on the embedded host. Stops what it started when one of them fails. */
export async function startStack(options: StackOptions): Promise<Stack> {
  const issuer = await loadDevIssuer(options.keyFile);
  await ensureLocalSettings(PROJECT, issuer.jwks);
  if (options.folder !== undefined) await mkdir(options.folder, { recursive: true });
  const first = options.storagePort;
  const azurite = await startAzurite({
    ports: first === 0 ? [0, 0, 0] : [first, first + 1, first + 2],
    ...(options.folder === undefined ? {} : { folder: options.folder }),
  });
  try {
    const connection = (await options.between?.(azurite)) ?? azurite.connectionString;
    const host = startHost(options, connection, issuer);
    const port = await listening(host);
    return {
      url: `http://127.0.0.1:${port}`,
      connectionString: azurite.connectionString,
      issuer,
      host: host.process,
      ended: host.ended,
      tail: () => host.tail(),
      async stop() {
        await host.stop();
        await azurite.stop();
      },
    };
  } catch (error) {
    await azurite.stop();
    throw error;
  }
}

function startHost(options: StackOptions, connection: string, issuer: DevIssuer): Child {
  const datastores = [{ name: 'workspaceblobstore', connection, container: 'azureml-blobstore' }];
  return startChild(join(PROJECT, 'dist/local/main.js'), ['--port', String(options.port), '--root', PROJECT], {
    cwd: PROJECT,
    env: {
      AzureWebJobsStorage: connection,
      BATCHPOINT_STATE: connection,
      BATCHPOINT_DATASTORES: JSON.stringify(datastores),
      BATCHPOINT_DEV_JWKS: issuer.jwks,
      ...options.settings,
    },
    ...(options.execArgv ? { execArgv: options.execArgv } : {}),
    ...(options.onOutput ? { onOutput: options.onOutput } : {}),
  });
}

/** The port on which the app answers. Throws with its output when it ends instead. */
async function listening(host: Child): Promise<number> {
  const message = once(host.process, 'message').then(([first]: unknown[]) => Listening.parse(first).port);
  const end = host.ended.then((code) => {
    throw new Error(`The app did not start (exit code ${code}):\n${host.tail()}`);
  });
  return Promise.race([message, end]);
}
