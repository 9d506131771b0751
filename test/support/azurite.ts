import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';

const READY_WITHIN_MS = 45_000;
const ACCOUNT = 'devstoreaccount1';
// Azurite's published development key: it opens nothing but a local Azurite.
const KEY = 'Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==';
// Left alone, Azurite would outlive a killed test run; its channel to the parent closes however the parent ends.
const END_WITH_PARENT = 'data:text/javascript,process.on("disconnect",()=>process.exit());process.channel?.unref();';

export interface Azurite {
  readonly connectionString: string;
  readonly blobPort: number;
  readonly queuePort: number;
  readonly tablePort: number;
  stop(): Promise<void>;
}

/** A fresh, empty Azurite in memory on ports of the system's choice. Its speed falls with what it holds: one per large suite. */
export async function startAzurite(): Promise<Azurite> {
  const program = createRequire(import.meta.url).resolve('azurite/dist/src/azurite.js');
  const ports = ['--blobPort', '0', '--queuePort', '0', '--tablePort', '0'];
  const quiet = ['--inMemoryPersistence', '--disableTelemetry', '--skipApiVersionCheck', '--silent'];
  const child = spawn(process.execPath, ['--import', END_WITH_PARENT, program, ...ports, ...quiet], {
    cwd: tmpdir(),
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
  const ended = once(child, 'exit');

  const stop = async (): Promise<void> => {
    if (child.exitCode === null && child.signalCode === null) {
      // Nothing to save: it holds everything in memory.
      child.kill('SIGKILL');
      await ended;
    }
  };

  try {
    const [blobPort, queuePort, tablePort] = await portsFrom(child, ended);
    const endpoint = (service: string, port: number) => `${service}Endpoint=http://127.0.0.1:${port}/${ACCOUNT}`;
    const connectionString = [
      'DefaultEndpointsProtocol=http',
      `AccountName=${ACCOUNT}`,
      `AccountKey=${KEY}`,
      endpoint('Blob', blobPort),
      endpoint('Queue', queuePort),
      endpoint('Table', tablePort),
    ].join(';');
    return { connectionString, blobPort, queuePort, tablePort, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Azurite says where each service listens once it does: blob, queue, table. */
async function portsFrom(child: ChildProcess, ended: Promise<unknown>): Promise<[number, number, number]> {
  let said = '';
  const { promise, resolve, reject } = Promise.withResolvers<[number, number, number]>();
  const fail = (why: string) => reject(new Error(`Azurite ${why}:\n${said}`));
  const timer = setTimeout(() => fail('did not become ready'), READY_WITHIN_MS);
  const hear = (chunk: Buffer | string): void => {
    said += chunk.toString();
    const [blob, queue, table] = ['Blob', 'Queue', 'Table'].map((service) =>
      Number(
        new RegExp(`${service} service is successfully listening at http://127\\.0\\.0\\.1:(\\d+)`).exec(said)?.[1],
      ),
    );
    if (blob && queue && table) resolve([blob, queue, table]);
  };
  child.stdout?.on('data', hear);
  child.stderr?.on('data', hear);
  ended.then(
    () => fail('ended before it was ready'),
    (error: unknown) => fail(`could not be started (${String(error)})`),
  );
  return promise.finally(() => clearTimeout(timer));
}
