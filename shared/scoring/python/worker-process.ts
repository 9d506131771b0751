import { Socket } from 'node:net';
import { delimiter, dirname, isAbsolute } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { codeEnvironment } from '../code-environment.ts';
import type { CodeUser } from '../code-user.ts';
import { ModelFault, OutOfMemory } from '../engine.ts';
import { printedLines, type PrintedLines } from '../printed-lines.ts';
import { endWords, looksOutOfMemory, spawnGroup, type ProcessGroup } from '../process-group.ts';
import { workerFolder, type WorkerFolder } from '../worker-folder.ts';
import { encodeMessage, framesOf, type Frame } from './frames.ts';
import { DRIVER, interpreterFault } from './interpreter.ts';

/** What a driver is told first. */
export type DriverStart =
  | { readonly kind: 'script'; readonly codeFolder: string; readonly script: string; readonly loggingLevel: string }
  | { readonly kind: 'pyfunc'; readonly modelFolder: string };

/** What a worker runs. */
export interface WorkerPlan {
  readonly python: string;
  readonly start: DriverStart;
  readonly modelFolder: string;
  readonly environmentVariables: Readonly<Record<string, string>>;
  /** Who runs it; the app's own user without. */
  readonly user?: CodeUser | undefined;
}

/** A Python process and the pipes to it, without knowledge of what is said on them. */
export interface WorkerProcess {
  readonly group: ProcessGroup;
  readonly lines: PrintedLines;
  /** Of this process alone, removed after it; the driver removes it when this process cannot. */
  readonly folder: string;
  readonly outputFolder: string;
  /** False from the moment that it is killed or has ended. */
  readonly living: boolean;
  /** Settles when it has ended and its folder is removed. */
  readonly gone: Promise<void>;
  send(content: object): void;
  /** What it says next. Throws the reason for which it was killed, or an Error with the words of its end. */
  next(): Promise<Frame>;
  kill(reason?: Error): void;
  /** Waits until all that it printed up to now has been read. */
  readAll(): Promise<void>;
  /** Whether it keeps this process alive. */
  hold(holds: boolean): void;
}

/** Time for what it wrote last, after its end. */
const LAST_WORDS_MS = 200;

/** Starts a driver. `index` is the number that its lines carry. Throws ModelFault when the interpreter cannot be started. */
export async function workerProcess(plan: WorkerPlan, index: number): Promise<WorkerProcess> {
  const folder = await workerFolder(plan.user);
  const group = await startDriver(plan, folder).catch(async (error: unknown) => {
    await folder.remove();
    throw interpreterFault(plan.python, error);
  });

  const lines = printedLines(index);
  const requests = socketOf(group, 3);
  const answers = socketOf(group, 4);
  const sockets = [requests, answers];
  for (const [fd, stream] of [
    [1, 'stdout'],
    [2, 'stderr'],
  ] as const) {
    const socket = socketOf(group, fd);
    socket.on('data', (chunk: Buffer) => lines.push(stream, chunk));
    sockets.push(socket);
  }
  // A pipe breaks when its process ends, and that is told by the end.
  for (const socket of sockets) socket.on('error', () => undefined);
  const frames = framesOf(answers);
  let living = true;
  let killedFor: Error | undefined;
  const gone = group.ended.then(async () => {
    living = false;
    setTimeout(() => {
      // A process that has left the group may hold the other end for ever.
      for (const socket of sockets) socket.destroy();
    }, LAST_WORDS_MS).unref();
    await folder.remove();
  });
  // Who waits for it is told; that a folder could not be removed ends nothing.
  gone.catch(() => undefined);

  function kill(reason?: Error): void {
    killedFor ??= reason;
    living = false;
    group.kill();
  }

  /** Its data was there before the frame that we know of: a poll of the event loop at the latest brings it. */
  async function readAll(): Promise<void> {
    await setImmediate();
    await setImmediate();
  }

  return {
    group,
    lines,
    folder: folder.path,
    outputFolder: folder.output,
    get living() {
      return living;
    },
    gone,
    send(content) {
      requests.write(encodeMessage(content));
    },
    async next() {
      try {
        const step = await frames.next();
        if (step.done !== true) return step.value;
      } catch (error) {
        if (living) killedFor ??= new Error("The worker's answer cannot be read; it was ended.", { cause: error });
      }
      // Nobody can talk to it any more, whether it has ended or closed its end.
      kill();
      const end = await group.ended;
      await readAll();
      if (killedFor) throw killedFor;
      const words = `The worker ended ${endWords(end)}.`;
      throw looksOutOfMemory(end) ? new OutOfMemory(words) : new Error(words);
    },
    kill,
    readAll,
    hold(holds) {
      if (holds) group.leader.ref();
      else group.leader.unref();
      for (const socket of sockets) {
        if (holds) socket.ref();
        else socket.unref();
      }
    },
  };
}

function startDriver(plan: WorkerPlan, folder: WorkerFolder): Promise<ProcessGroup> {
  if (process.platform === 'win32') {
    throw new ModelFault('Python is run on Linux and macOS only; on Windows, use WSL or a container.');
  }
  const env = codeEnvironment(process.env, {
    ...folder.variables,
    PYTHONIOENCODING: 'utf-8',
    ...plan.environmentVariables,
    PYTHONUNBUFFERED: '1',
    AZUREML_MODEL_DIR: plan.modelFolder,
    AZUREML_BI_OUTPUT_PATH: folder.output,
  });
  // Programs of the interpreter's environment come first, as if it were activated.
  if (isAbsolute(plan.python)) env['PATH'] = [dirname(plan.python), env['PATH'] ?? ''].join(delimiter);
  return spawnGroup(plan.python, [DRIVER], {
    env,
    user: plan.user,
    stdio: ['ignore', 'pipe', 'pipe', 'pipe', 'pipe'],
  });
}

function socketOf({ leader }: ProcessGroup, fd: number): Socket {
  const stream = leader.stdio[fd];
  if (!(stream instanceof Socket)) throw new Error(`The worker has no pipe ${fd}.`);
  return stream;
}
