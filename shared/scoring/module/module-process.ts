import { Socket } from 'node:net';
import { setImmediate } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { codeEnvironment } from '../code-environment.ts';
import type { CodeUser } from '../code-user.ts';
import { printedLines, type PrintedLines } from '../printed-lines.ts';
import { OutOfMemory } from '../engine.ts';
import { endWords, looksOutOfMemory, spawnGroup, type ProcessEnd, type ProcessGroup } from '../process-group.ts';
import { workerFolder } from '../worker-folder.ts';
import type { ModulePlace, ToWorker } from './protocol.ts';
import { FromWorker } from './worker-message.ts';

export interface ModuleCode extends ModulePlace {
  readonly environmentVariables: Readonly<Record<string, string>>;
  /** Who runs it; the app's own user without. */
  readonly user?: CodeUser | undefined;
}

/** A process for a user's module and the channel to it, without knowledge of what is said when. */
export interface ModuleProcess {
  readonly group: ProcessGroup;
  readonly lines: PrintedLines;
  /** Settles when it has ended and its folder, if it had one, is removed. */
  readonly gone: Promise<void>;
  /** False from the moment that it is killed or nobody can talk to it any more. */
  readonly living: boolean;
  send(message: ToWorker): void;
  /** What it says next. Throws the reason for which it was killed, or an Error with the words of its end. */
  next(): Promise<FromWorker>;
  kill(reason?: Error): void;
  /** Waits until all that it printed before the last message has been read. */
  readAll(): Promise<void>;
  /** Whether it keeps this process alive. */
  hold(holds: boolean): void;
}

const WORKER = fileURLToPath(new URL(import.meta.url.endsWith('.ts') ? './worker.ts' : './worker.js', import.meta.url));
/** Node's notes about itself are not for the job's log. */
const FLAGS = ['--disable-warning=ExperimentalWarning', '--disable-warning=MODULE_TYPELESS_PACKAGE_JSON'];
/** Time for what it printed last, after its end. */
const LAST_WORDS_MS = 200;

/**
 * Starts a process. It is a process and not a thread because ONNX Runtime, which a module may use, ends the whole process when
 * its thread is terminated inside it, and because a thread could read the app's secrets. `index` is the number that its lines
 * carry.
 */
export async function moduleProcess(
  { environmentVariables, user, ...place }: ModuleCode,
  index: number,
): Promise<ModuleProcess> {
  const folder = user && (await workerFolder(user));
  const env = codeEnvironment(process.env, {
    ...folder?.variables,
    ...environmentVariables,
    AZUREML_MODEL_DIR: place.modelFolder,
  });
  const group = await spawnGroup(process.execPath, [...FLAGS, WORKER], {
    cwd: place.codeFolder,
    env,
    user,
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    serialization: 'advanced',
  }).catch(async (error: unknown) => {
    await folder?.remove();
    throw error;
  });
  const { leader } = group;
  const lines = printedLines(index);
  const sockets = (['stdout', 'stderr'] as const).map((name) => {
    const socket = leader[name];
    if (!(socket instanceof Socket)) throw new Error(`The worker has no ${name}.`);
    socket.on('data', (chunk: Buffer) => lines.push(name, chunk));
    return socket;
  });
  const messages: FromWorker[] = [];
  let wake: (() => void) | undefined;
  let connected = true;
  let living = true;
  let killedFor: Error | undefined;

  function kill(reason?: Error): void {
    killedFor ??= reason;
    living = false;
    group.kill();
  }

  leader.on('message', (message) => {
    const parsed = FromWorker.safeParse(message);
    if (parsed.success) messages.push(parsed.data);
    else kill(new Error("The module wrote into its process's channel: it must leave file descriptor 3 alone."));
    wake?.();
  });
  // What it sent before its end has come by now.
  leader.once('disconnect', () => {
    connected = false;
    kill();
    wake?.();
  });
  const gone = group.ended.then(async () => {
    living = false;
    setTimeout(() => {
      // A process that has left the group may hold the other end for ever.
      for (const socket of sockets) socket.destroy();
    }, LAST_WORDS_MS).unref();
    await folder?.remove();
  });
  // Who waits for it is told; that a folder could not be removed ends nothing.
  gone.catch(() => undefined);

  /** Its data was there before the message that we know of: a poll of the event loop at the latest brings it. */
  async function readAll(): Promise<void> {
    await setImmediate();
    await setImmediate();
  }

  return {
    group,
    lines,
    gone,
    get living() {
      return living;
    },
    send(message) {
      // Its end is told by the channel's.
      if (connected) leader.send(message, () => undefined);
    },
    async next() {
      for (;;) {
        const message = messages.shift();
        if (message !== undefined) return message;
        if (!connected) break;
        await new Promise<void>((resolve) => (wake = resolve));
      }
      const end = await group.ended;
      await readAll();
      throw killedFor ?? endOf(end);
    },
    kill,
    readAll,
    hold(holds) {
      const change = holds ? 'ref' : 'unref';
      leader[change]();
      leader.channel?.[change]();
      for (const socket of sockets) socket[change]();
    },
  };
}

function endOf(end: ProcessEnd): Error {
  if (end.signal === null)
    return new Error(
      `The module ended its process ${endWords(end)}: it must not call process.exit(), but return rows or throw an error.`,
    );
  // So V8 ends a process whose heap is full.
  const words =
    end.signal === 'SIGABRT' ? 'by SIGABRT: its memory for JavaScript was full, or native code gave up' : endWords(end);
  const reason = `The module's process was ended ${words}. The job's log has its last lines.`;
  return looksOutOfMemory(end) ? new OutOfMemory(reason) : new Error(reason);
}
