import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { z } from 'zod';
import { PROJECT } from '../../cli/stack.ts';

/** What a peer scores, as the scripts' `score` takes it. */
export interface Task {
  /** Prefix of the input's names in the container, with a slash at its end. */
  readonly folder: string;
  /** Path of an ONNX file. */
  readonly model: string;
  /** Name of the output in the container. */
  readonly output: string;
}

/** A peer's script in a Python process that goes on between rounds. */
export interface PythonPeer {
  /** Scores once; answers the seconds. Throws with what the script printed when it fails. */
  round(task: Task): Promise<number>;
  stop(): Promise<void>;
}

const SCRIPTS = join(PROJECT, 'bench/peers/scripts');
const Answer = z.object({ rows: z.number() });
/** Ray ends its own processes meanwhile. */
const PATIENCE_MS = 15_000;
const TAIL_CHARACTERS = 4000;

export function pythonPeer(python: string, script: string, env: Readonly<Record<string, string>>): PythonPeer {
  // A group of its own, with all that Ray starts: a half-started Ray leaves processes behind.
  const child = spawn(python, [join(SCRIPTS, 'peer.py'), script], { env: { ...process.env, ...env }, detached: true });
  const kill = (): void => killGroup(child.pid);
  process.once('exit', kill);
  const ended = once(child, 'close').finally(() => process.removeListener('exit', kill));
  let said = '';
  child.stderr.on('data', (chunk: Buffer) => (said = (said + chunk.toString('utf8')).slice(-TAIL_CHARACTERS)));
  // A process that is gone is told by the end of its answers.
  child.stdin.on('error', () => undefined);
  const answers = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return {
    async round(task) {
      const started = performance.now();
      child.stdin.write(`${JSON.stringify(task)}\n`);
      const answer = await answers.next();
      if (answer.done) throw new Error(`${script} ended:\n${said}`);
      Answer.parse(JSON.parse(answer.value));
      return (performance.now() - started) / 1000;
    },
    async stop() {
      child.kill('SIGTERM');
      const late = setTimeout(kill, PATIENCE_MS);
      await ended;
      clearTimeout(late);
      kill();
    },
  };
}

function killGroup(leader: number | undefined): void {
  try {
    if (leader !== undefined) process.kill(-leader, 'SIGKILL');
  } catch (error) {
    // All of them have ended.
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error;
  }
}
