import type { CodeUser } from '../code-user.ts';
import { pythonFault, type MiniBatchEngine, type PrintedLine } from '../engine.ts';
import { findScript } from './check-script.ts';
import { moveFiles, removeFiles } from './output-folder.ts';
import { pythonPool } from './pool.ts';

export interface PythonCode {
  /** Path or name of the interpreter. */
  readonly python: string;
  /** Processes at most: mini-batches that run at once. */
  readonly workers: number;
  readonly codeFolder: string;
  /** Path of the scoring script below the code's folder. */
  readonly script: string;
  /** Becomes AZUREML_MODEL_DIR. */
  readonly modelFolder: string;
  readonly environmentVariables: Readonly<Record<string, string>>;
  readonly loggingLevel: 'Debug' | 'Info' | 'Warning';
  /** Who runs it; the app's own user without. */
  readonly user?: CodeUser | undefined;
  /** A worker that had nothing to do for this long ends; the next run starts one. */
  readonly idleMs: number;
  /** Of resident memory for each worker with its children. Watched on Linux. */
  readonly memoryMb?: number | undefined;
  /** Gets what is printed by a script that cannot start, before there is a run. */
  readonly print?: ((line: PrintedLine) => void) | undefined;
}

/** --logging_level as Azure ML passes it. */
const LEVELS = { Debug: 'DEBUG', Info: 'INFO', Warning: 'WARNING' } as const;

/**
 * Runs a scoring script, unchanged, in a pool of Python processes. The first is started here. Throws ModelFault when the script
 * cannot be started: no interpreter, no file, no `init` or `run`, a fault in `init()`.
 */
export async function pythonEngine(code: PythonCode): Promise<MiniBatchEngine> {
  const { codeFolder, script } = code;
  await findScript(codeFolder, script);
  const pool = await pythonPool({
    ...code,
    start: { kind: 'script', codeFolder, script, loggingLevel: LEVELS[code.loggingLevel] },
  });
  return {
    kind: 'miniBatch',
    takesBytes: false,
    columns: null,
    async *score({ files, outputFolder }, { options, timeoutMs, signal, print }) {
      const { worker, release } = await pool.lease({ signal, print });
      try {
        const request = { type: 'run', paths: files.map(({ path }) => path), ...options };
        let columns: readonly string[] = [];
        for await (const answer of worker.request(request, { signal, timeoutMs, print })) {
          switch (answer.type) {
            case 'columns':
              columns = answer.names;
              break;
            case 'rows':
              yield { type: 'rows', bytes: answer.bytes, rows: answer.rows, columns };
              break;
            case 'returned':
              await moveFiles(worker.outputFolder, outputFolder);
              yield { type: 'returned', results: answer.results, items: answer.items };
              break;
            case 'failed':
              await removeFiles(worker.outputFolder);
              throw pythonFault(answer.reason);
            case 'failures':
            case 'fileFault':
              throw new Error(`A scoring script's worker said ${answer.type}.`);
          }
        }
      } finally {
        release();
      }
    },
    close: () => pool.close(),
  };
}
