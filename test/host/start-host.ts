import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';

const main = fileURLToPath(new URL('../../local/main.ts', import.meta.url));
const ready = z.object({ state: z.literal('listening'), port: z.number().int() });

export interface TestHost {
  readonly url: string;
  readonly port: number;
  readonly process: ChildProcess;
  /** Everything printed so far. */
  stdout(): string;
  stderr(): string;
  stop(): Promise<void>;
}

/** The folder of a fixture app; an absolute path stays what it is. */
export function appRoot(app: string): string {
  return resolve(fileURLToPath(new URL('./apps', import.meta.url)), app);
}

/** Of options given twice the last one counts. */
function spawn(app: string, env: NodeJS.ProcessEnv, args: readonly string[]) {
  const child = fork(main, ['--port', '0', '--root', appRoot(app), ...args], {
    env: { ...process.env, ...env },
    silent: true,
  });
  const output = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const) {
    child[name]?.setEncoding('utf8').on('data', (text: string) => {
      output[name] += text;
    });
  }
  return { child, output };
}

/** Starts the embedded host in a process of its own with a fixture app. Rejects with its output if it does not start. */
export async function startHost(
  app: string,
  env: NodeJS.ProcessEnv = {},
  args: readonly string[] = [],
): Promise<TestHost> {
  const { child, output } = spawn(app, env, args);
  const started = Promise.withResolvers<number>();
  child.once('message', (message) => started.resolve(ready.parse(message).port));
  child.once('exit', (code) =>
    started.reject(new Error(`The host ended with code ${code}.\n${output.stdout}\n${output.stderr}`)),
  );
  const port = await started.promise;
  return {
    url: `http://localhost:${port}`,
    port,
    process: child,
    stdout: () => output.stdout,
    stderr: () => output.stderr,
    async stop() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const exit = once(child, 'exit');
      child.kill('SIGTERM');
      await exit;
    },
  };
}

/** Starts a host that must refuse its app; answers what it printed and its exit code. */
export async function startRefused(
  app: string,
  env: NodeJS.ProcessEnv = {},
  args: readonly string[] = [],
): Promise<{ code: number | null; stderr: string }> {
  const { child, output } = spawn(app, env, args);
  await once(child, 'close');
  return { code: child.exitCode, stderr: output.stderr };
}
