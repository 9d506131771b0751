import { stat } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { messageOf } from '../../domain/errors.ts';
import { ModelFault } from '../engine.ts';

const ADVICE =
  'Set BATCHPOINT_PYTHON to an interpreter, or name one for the environment in BATCHPOINT_PYTHON_ENVIRONMENTS.';

/** What an interpreter is started with: the program that runs a script or a model, or checks a script. */
export const DRIVER = fileURLToPath(new URL('./driver/start.py', import.meta.url));

/** Turns the system's error of a Python that cannot be started into one that says which setting helps. */
export function interpreterFault(python: string, error: unknown): ModelFault {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  const reason =
    code === 'ENOENT'
      ? `There is no Python at '${python}'.`
      : code === 'EACCES'
        ? `'${python}' may not be executed.`
        : `'${python}' cannot be started: ${messageOf(error)}.`;
  return new ModelFault(`${reason} ${ADVICE}`, { cause: error });
}

/** Whether there is something of this kind at a path. */
export async function isThere(path: string, kind: 'file' | 'folder'): Promise<boolean> {
  try {
    const found = await stat(path);
    return kind === 'file' ? found.isFile() : found.isDirectory();
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code === 'ENOENT' || code === 'ENOTDIR') return false;
    throw error;
  }
}
