import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PROJECT } from '../../cli/stack.ts';

const FOLDER = join(PROJECT, '.venv-sdk');
const REQUIREMENTS = join(PROJECT, 'test/sdk/requirements.txt');

/** Written last, with what was installed: an install that was cut off or is of other versions does not count. */
const STAMP = join(FOLDER, '.installed');

/** Path of a Python that has the client of test/sdk/requirements.txt; makes its virtual environment on first use. */
export async function ensureClient(): Promise<string> {
  const python = join(FOLDER, process.platform === 'win32' ? 'Scripts/python.exe' : 'bin/python');
  const wanted = await readFile(REQUIREMENTS, 'utf8');
  if ((await installed()) === wanted) return python;
  console.log(`Installing the azure-ai-ml client into ${FOLDER} …`);
  await rm(FOLDER, { recursive: true, force: true });
  await run(process.env['PYTHON'] ?? 'python3', ['-m', 'venv', FOLDER]);
  await run(python, ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '-r', REQUIREMENTS]);
  await writeFile(STAMP, wanted);
  return python;
}

async function installed(): Promise<string | undefined> {
  try {
    return await readFile(STAMP, 'utf8');
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
