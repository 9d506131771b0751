import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { inject } from 'vitest';
import { PROJECT } from '../../cli/stack.ts';

/** How a program ended and what it said. */
export interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs one of the installed programs in the project's root. Rejects when it cannot be started. */
export function runTool(name: string, args: readonly string[]): Promise<Ended> {
  return new Promise((resolve, reject) => {
    const options = { cwd: PROJECT, maxBuffer: 64 * 1024 * 1024, env: { ...process.env, LOG_LEVEL: 'ERROR' } };
    execFile(join(inject('infraTools'), name), args, options, (error, stdout, stderr) => {
      const code = error ? error.code : 0;
      if (typeof code === 'number') resolve({ code, stdout, stderr });
      else reject(new Error(`${name} could not be run`, { cause: error }));
    });
  });
}
