import { realpath } from 'node:fs/promises';
import { Worker } from 'node:worker_threads';
import { ModelFault } from '../engine.ts';
import { faultLine } from './fault-line.ts';
import { endOwnGroup } from './own-group.ts';
import { PARTS_IN_FLIGHT, type ToWorker } from './protocol.ts';
import { NoRows, writeResults, type RowsPart } from './results.ts';
import { RowFault } from './row-encoder.ts';
import { miniBatchFile, streamLogger } from './run-context.ts';
import type { ModuleContext, RunContext } from './scoring-module.ts';
import { importModule, type UserModule } from './user-module.ts';
import type { FromWorker } from './worker-message.ts';

/** Process of one user's module: loads it, then runs one mini-batch after another; each part waits until there is room for it. */
function serve(channel: NonNullable<typeof process.send>): void {
  const print = [process.stdout, process.stderr].map((stream) => stream.write.bind(stream));
  let module: UserModule | undefined;
  let context: ModuleContext | undefined;
  let codeFolder = '';
  let aborted = new AbortController();
  let room = PARTS_IN_FLIGHT;
  let roomMade: (() => void) | undefined;

  const send = (message: FromWorker, sent?: () => void) => {
    channel(message, undefined, undefined, sent);
  };

  async function emit(part: RowsPart): Promise<void> {
    if (room === 0) await new Promise<void>((resolve) => (roomMade = resolve));
    room--;
    send({ kind: 'rows', ...part });
  }

  /** Settles when all that was printed is on its way, so that it is not overtaken by what is sent next. */
  const printed = () => Promise.all(print.map((write) => new Promise<void>((resolve) => write('', () => resolve()))));

  /** What a user's code throws gets its place; our own faults are sentences already. */
  const because = (what: string, error: unknown): string =>
    error instanceof ModelFault || error instanceof RowFault || error instanceof NoRows
      ? error.message
      : `${what}: ${faultLine(error, codeFolder)}`;

  async function load(message: Extract<ToWorker, { kind: 'load' }>): Promise<void> {
    let end: FromWorker = { kind: 'loaded' };
    try {
      codeFolder = await realpath(message.codeFolder);
      module = await importModule(codeFolder, message.script);
      context = { model: message.modelFolder, logger: streamLogger(message.loggingLevel) };
      await module.init?.(context);
    } catch (error) {
      end = { kind: 'failed', message: because('init() threw', error), worker: 'ends' };
    }
    await printed();
    send(end);
  }

  async function run({ files, outputFolder, options }: Extract<ToWorker, { kind: 'run' }>): Promise<void> {
    if (module === undefined || context === undefined)
      throw new Error('A run was started before the module was loaded.');
    aborted = new AbortController();
    room = PARTS_IN_FLIGHT;
    const runContext: RunContext = { ...context, signal: aborted.signal, outputFolder };
    let end: FromWorker;
    try {
      const returned = await module.run(files.map(miniBatchFile), runContext);
      end = { kind: 'returned', ...(await writeResults(returned, { options, files: files.length }, emit)) };
    } catch (error) {
      end = { kind: 'failed', message: because('run() threw', error), worker: 'lives' };
    }
    await printed();
    send(end);
  }

  function handle(message: ToWorker): void {
    switch (message.kind) {
      case 'load':
        void load(message);
        return;
      case 'run':
        void run(message);
        return;
      case 'taken':
        room++;
        roomMade?.();
        roomMade = undefined;
        return;
      case 'abort':
        aborted.abort(new DOMException('The mini-batch is ended.', 'AbortError'));
        return;
    }
  }

  process.on('message', handle);
  // What nobody waits for may have broken the module's state: the next run gets a new process.
  const crash = (error: unknown) => {
    process.stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
    send({ kind: 'failed', message: because('The module threw outside of run()', error), worker: 'ends' }, () =>
      process.exit(1),
    );
  };
  process.on('uncaughtException', crash);
  process.on('unhandledRejection', crash);
  process.on('disconnect', () => endOwnGroup());
}

if (process.send === undefined) throw new Error('This file runs as a child process with a channel.');
const channel = process.send.bind(process);
// The channel is ours: a module that looks for one (as programs do under a process manager) finds none.
delete process.send;
const watch = new URL(import.meta.url.endsWith('.ts') ? './parent-watch.ts' : './parent-watch.js', import.meta.url);
new Worker(watch, { execArgv: [], workerData: process.ppid }).unref();
serve(channel);
