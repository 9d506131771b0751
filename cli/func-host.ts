import { spawn } from 'node:child_process';
import { setTimeout as wait } from 'node:timers/promises';
import { z } from 'zod';

/**
 * Runs `func start --port N` for cli/stack.ts and speaks as our own host does: a message when it answers, and its end when
 * its parent ends or wants it. `func` starts processes of its own, so all of them are one process group here.
 *
 *     node cli/func-host.ts PATH-OF-FUNC PORT
 */
const [func = '', port = ''] = process.argv.slice(2);
const POLL_MS = 200;
/** How long `func` may take to end by itself; less than our parent waits for us. */
const PATIENCE_MS = 3000;

const Status = z.object({ state: z.string() });

const child = spawn(func, ['start', '--port', port], { stdio: ['ignore', 'inherit', 'inherit'], detached: true });
let ended = false;
child.once('error', (error) => {
  console.error(`${func} could not be started: ${error.message}`);
  process.exit(1);
});
child.once('exit', (code) => {
  ended = true;
  // What it started may outlive it.
  signalGroup('SIGKILL');
  process.exit(code ?? 1);
});

function signalGroup(signal: NodeJS.Signals): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, signal);
  } catch (error) {
    // Nobody is left in the group.
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error;
  }
}

let stopping = false;
async function stop(): Promise<void> {
  if (stopping) return;
  stopping = true;
  signalGroup('SIGINT');
  await wait(PATIENCE_MS);
  signalGroup('SIGKILL');
}
for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP', 'disconnect'] as const) process.on(name, () => void stop());

/** Whether the host says that it runs; false also while nothing listens yet. */
async function runs(): Promise<boolean> {
  try {
    const response = await fetch(`http://127.0.0.1:${port}/admin/host/status`);
    return response.ok && Status.parse(await response.json()).state === 'Running';
  } catch {
    // It is starting: its end, not this, tells that it failed.
    return false;
  }
}

while (!ended && !(await runs())) await wait(POLL_MS);
process.send?.({ state: 'listening', port: Number(port) });
