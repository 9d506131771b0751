import { tmpdir } from 'node:os';
import { z } from 'zod';
import { codeEnvironment } from '../code-environment.ts';
import type { CodeUser } from '../code-user.ts';
import { ModelFault } from '../engine.ts';
import { runProgram } from './run-program.ts';

const Answer = z.object({
  /** The interpreter itself, behind any virtual environment, launcher or link. */
  base: z.string().min(1),
  /** `3.11.7`. */
  version: z.string().regex(/^\d+\.\d+\.\d+$/),
});
export type Interpreter = z.infer<typeof Answer>;

const PROGRAM = `import json, os, sys
base = os.path.realpath(getattr(sys, "_base_executable", None) or sys.executable)
print(json.dumps({"base": base, "version": "%d.%d.%d" % sys.version_info[:3]}))`;

const SECONDS = 60;

/** Starts an interpreter as `user` and asks what it is. Throws ModelFault that names `whose` it is when it does not start. */
export async function probeInterpreter(
  python: string,
  whose: string,
  own: Readonly<Record<string, string | undefined>>,
  user: CodeUser | undefined,
): Promise<Interpreter> {
  try {
    const { code, lines } = await runProgram([python, '-I', '-c', PROGRAM], {
      env: codeEnvironment(own, {}),
      cwd: tmpdir(),
      user,
      seconds: SECONDS,
    });
    if (code === 0) return Answer.parse(JSON.parse(lines.at(-1) ?? ''));
    throw new Error(lines.at(-1) ?? `it ended with code ${code}`);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    const reason =
      code === 'ENOENT'
        ? 'there is none'
        : code === 'EACCES'
          ? 'the user that runs code may not execute it'
          : told(error);
    throw new ModelFault(`The Python interpreter ${python} of ${whose} cannot be started: ${reason}.`, {
      cause: error,
    });
  }
}

const told = (error: unknown): string => (error instanceof Error ? error.message : String(error)).replace(/\.$/, '');
