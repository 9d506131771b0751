import { mkdtemp, open, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, normalize } from 'node:path';
import { z } from 'zod';
import { readableFormatOf } from '../../formats/file-format.ts';
import { unpackedForDisk } from '../../formats/gzip-source.ts';
import { letThrough, type CodeUser } from '../code-user.ts';
import { FileFault, ModelFault, pythonFault, type FileEngine, type PrintedLine } from '../engine.ts';
import { parseMlmodel } from '../mlmodel.ts';
import { isThere } from './interpreter.ts';
import { pythonPool } from './pool.ts';

export interface PyfuncModel {
  /** Path or name of the interpreter. */
  readonly python: string;
  /** Processes at most: files that are scored at once. */
  readonly workers: number;
  /** The folder that holds MLmodel. */
  readonly modelFolder: string;
  readonly environmentVariables: Readonly<Record<string, string>>;
  readonly loggingLevel: 'Debug' | 'Info' | 'Warning';
  /** Who runs it; the app's own user without. */
  readonly user?: CodeUser | undefined;
  /** A worker that had nothing to do for this long ends; the next file starts one. */
  readonly idleMs: number;
  /** Of resident memory for each worker with its children. Watched on Linux. */
  readonly memoryMb?: number | undefined;
  /** Gets what is printed by a model that cannot be loaded, before there is a file. */
  readonly print?: ((line: PrintedLine) => void) | undefined;
}

/**
 * Scores files with an MLflow model of any flavour that has `python_function`, in a pool of Python processes. The first is
 * started here. Throws ModelFault for a folder without MLmodel, files that it names and that are not there, and a model or
 * environment that cannot be loaded.
 */
export async function pyfuncEngine(model: PyfuncModel): Promise<FileEngine> {
  const { modelFolder } = model;
  await checkModel(modelFolder);
  const environmentVariables = { MLFLOW_LOGGING_LEVEL: LEVELS[model.loggingLevel], ...model.environmentVariables };
  const pool = await pythonPool({ ...model, environmentVariables, start: { kind: 'pyfunc', modelFolder } });
  return {
    kind: 'file',
    takesParts: false,
    columns: null,
    async *score(file, options, signal, print = () => undefined) {
      const folder = await mkdtemp(join(tmpdir(), 'batchpoint-file-'));
      try {
        if (model.user) await letThrough(folder, model.user);
        const path = join(folder, 'input');
        const { kind, gzip } = readableFormatOf(file.name, file.contentEncoding);
        // Unpacked here, where it has limits.
        await download(gzip ? unpackedForDisk(file.body) : file.body, path, signal);
        const request = { type: 'file', name: file.name, path, format: kind, ...options };
        const { worker, release } = await pool.lease({ signal, print });
        let columns: readonly string[] | undefined;
        try {
          for await (const answer of worker.request(request, { signal, print })) {
            switch (answer.type) {
              case 'columns':
                columns = answer.names;
                break;
              case 'rows':
                yield { bytes: answer.bytes, rows: answer.rows, failures: [], ...(columns && { columns }) };
                break;
              case 'failures':
                yield { bytes: NO_BYTES, rows: 0, failures: answer.failures, ...(columns && { columns }) };
                break;
              case 'fileFault':
                throw new FileFault(answer.code, answer.reason, { line: answer.line });
              case 'failed':
                throw pythonFault(answer.reason);
              case 'returned':
                break;
            }
          }
        } finally {
          release();
        }
      } finally {
        await rm(folder, { recursive: true, force: true });
      }
    },
    close: () => pool.close(),
  };
}

const NO_BYTES = new Uint8Array(0);

const LEVELS = { Debug: 'DEBUG', Info: 'INFO', Warning: 'WARNING' } as const;

const inFolder = z.string().nullish();

/** What the flavour names inside the model's folder. */
const pythonFunction = z.object({
  data: inFolder,
  model_path: inFolder,
  code: inFolder,
  python_model: inFolder,
  artifacts: z.record(z.string(), z.object({ path: z.string() })).nullish(),
});

async function checkModel(folder: string): Promise<void> {
  const descriptor = join(folder, 'MLmodel');
  if (!(await isThere(descriptor, 'file'))) {
    throw new ModelFault(
      'The model has no file MLmodel. Register the folder that mlflow wrote, with all of its files.',
    );
  }
  const { flavors } = parseMlmodel(await readFile(descriptor, 'utf8'));
  const flavor = flavors['python_function'];
  if (flavor === undefined) {
    const has = Object.keys(flavors).join(', ') || 'none';
    throw new ModelFault(
      `The model has no python_function flavour (it has: ${has}). Log it with a flavour that has one.`,
    );
  }
  const named = pythonFunction.safeParse(flavor);
  if (!named.success) throw new ModelFault(`MLmodel flavors.python_function: ${named.error.issues[0]?.message}`);
  const { artifacts, ...paths } = named.data;
  for (const path of [...Object.values(paths), ...Object.values(artifacts ?? {}).map((artifact) => artifact.path)]) {
    if (typeof path !== 'string') continue;
    const full = join(folder, normalize(path));
    if (!(await isThere(full, 'file')) && !(await isThere(full, 'folder'))) {
      throw new ModelFault(`MLmodel names ${path}, which is not among the model's files. Register the whole folder.`);
    }
  }
}

/** Python reads files, some of them in pieces. */
async function download(body: AsyncIterable<Uint8Array>, path: string, signal: AbortSignal): Promise<void> {
  await using target = await open(path, 'w');
  for await (const chunk of body) {
    signal.throwIfAborted();
    await target.writeFile(chunk);
  }
}
