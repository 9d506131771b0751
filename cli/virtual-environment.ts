import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { PROJECT } from './stack.ts';

export interface VirtualEnvironment {
  readonly folder: string;
  /** A file with the pinned packages. */
  readonly requirements: string;
  /** Says in a word what is installed. */
  readonly purpose: string;
  /** Compiles what is installed, where many processes import it; on first import without. */
  readonly compiled?: true;
}

/** Path of an interpreter beside which uv lies; installs it on first use. */
export const ensureUv = (): Promise<string> =>
  ensure(
    {
      folder: join(PROJECT, '.venv-uv'),
      requirements: join(PROJECT, 'cli/uv-requirements.txt'),
      purpose: 'uv',
    },
    (python) => [python, '-m', 'pip', 'install', '--quiet', '--disable-pip-version-check'],
  );

/** Path of the interpreter of a virtual environment; makes it on first use, and again when its requirements have changed. */
export async function ensureVirtualEnvironment(environment: VirtualEnvironment): Promise<string> {
  const uv = join(dirname(await ensureUv()), 'uv');
  // A quarter of pip's time.
  const compiled = environment.compiled ? ['--compile-bytecode'] : [];
  return ensure(environment, (python) => [uv, 'pip', 'install', '--quiet', ...compiled, '--python', python]);
}

async function ensure(
  { folder, requirements, purpose }: VirtualEnvironment,
  installer: (python: string) => readonly [string, ...string[]],
): Promise<string> {
  const python = join(folder, process.platform === 'win32' ? 'Scripts/python.exe' : 'bin/python');
  // Written last, with what was installed: an install that was cut off or is of other versions does not count.
  const stamp = join(folder, '.installed');
  const wanted = await readFile(requirements, 'utf8');
  if ((await installed(stamp)) === wanted) return python;
  console.error(`Installing ${purpose} into ${folder} …`);
  await rm(folder, { recursive: true, force: true });
  await run(process.env['PYTHON'] ?? 'python3', ['-m', 'venv', folder]);
  const [program, ...args] = installer(python);
  await run(program, [...args, '-r', requirements]);
  await writeFile(stamp, wanted);
  return python;
}

async function installed(stamp: string): Promise<string | undefined> {
  try {
    return await readFile(stamp, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
}

async function run(command: string, args: readonly string[]): Promise<void> {
  const child = spawn(command, args, { stdio: 'inherit' });
  await once(child, 'close');
  if (child.exitCode !== 0) throw new Error(`${command} ${args.join(' ')} ended with code ${child.exitCode}.`);
}
