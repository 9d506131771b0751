import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { codeEnvironment } from '../code-environment.ts';
import type { CodeUser } from '../code-user.ts';
import { ModelFault } from '../engine.ts';
import { MARK, newMark } from '../escaped-processes.ts';
import { DRIVER, interpreterFault, isThere } from './interpreter.ts';

/** Kept equal to REFUSED in driver/batchpoint_driver/check.py. */
const REFUSED = 3;

/**
 * Looks at a scoring script without running it. Throws ModelFault, in one line, for a file that is not there, a fault of syntax,
 * a script without `init` or `run`, and an interpreter that cannot be started.
 */
export async function checkScript(python: string, codeFolder: string, script: string, user?: CodeUser): Promise<void> {
  const path = await findScript(codeFolder, script);
  // It is no group, and nobody's orphan.
  const env = codeEnvironment(process.env, { [MARK]: newMark() });
  const { error, stdout, stderr } = await new Promise<{ error: unknown; stdout: string; stderr: string }>((resolve) => {
    execFile(python, [DRIVER, '--check', path], { env, ...user }, (error, stdout, stderr) =>
      resolve({ error, stdout, stderr }),
    );
  });
  if (!(error instanceof Error)) return;
  if (!('code' in error) || typeof error.code !== 'number') throw interpreterFault(python, error);
  if (error.code === REFUSED) throw new ModelFault(stdout);
  const said = stderr.trim().split('\n').at(-1) || `it ended with exit code ${error.code}`;
  throw new ModelFault(`'${python}' cannot check ${script}: ${said}`);
}

/** Path of a scoring script. Throws ModelFault when it is not there. */
export async function findScript(codeFolder: string, script: string): Promise<string> {
  const path = join(codeFolder, script);
  if (await isThere(path, 'file')) return path;
  throw new ModelFault(`The code has no file ${script}. Correct scoringScript, or upload the code with it.`);
}
