import { chown, mkdir, writeFile } from 'node:fs/promises';
import { delimiter, dirname, join } from 'node:path';
import type { CodeUser } from '../code-user.ts';
import { ModelFault } from '../engine.ts';
import type { Interpreter } from './interpreter-probe.ts';
import { packageEnvironment } from './package-index.ts';
import { runProgram, type ProgramRun } from './run-program.ts';
import { tellingLine } from './telling-line.ts';

/** A build that takes longer is ended: the host gives what asked for it 30 minutes. */
const SECONDS = 20 * 60;

export interface Uv {
  /** Path of an interpreter that fits a request of uv's (`3.10`, `>=3.9,<3.12`; null for any); undefined when there is none. */
  find(request: string | null): Promise<string | undefined>;
  /**
   * Makes a virtual environment in an empty folder, which may be moved later, and installs the lines of a requirements file in it. Throws ModelFault, with uv's own reason, when the packages cannot be had as they are asked for.
   */
  install(
    folder: string,
    interpreter: string,
    requirements: readonly string[],
    print: (line: string) => void,
  ): Promise<void>;
}

/** Where a virtual environment has its interpreter. */
export const pythonIn = (folder: string): string =>
  join(folder, process.platform === 'win32' ? 'Scripts/python.exe' : 'bin/python');

/** Names and passwords in addresses: package indexes have them, and a job's log is read by others. */
const withoutSecrets = (line: string): string => line.replace(/(\/\/)[^/@\s]+@/g, '$1***@');

/**
 * uv, as a program on the PATH or as a module of the interpreter `python`. Throws ModelFault when it is neither. It prefers
 * the interpreter behind `preferred`, takes only what is on this machine, and never downloads one. `signal` ends its work.
 */
export async function findUv(setting: {
  readonly own: Readonly<Record<string, string | undefined>>;
  readonly python: string;
  readonly preferred: Interpreter;
  /** Who runs uv, and so what packages do when they are built; the app's own user without. */
  readonly user?: CodeUser | undefined;
  /** A folder without settings of uv, which it would take where it runs. */
  readonly cwd: string;
  readonly signal: AbortSignal;
  readonly say: (line: string) => void;
}): Promise<Uv> {
  const { own, python, preferred, cwd, user, signal, say } = setting;
  const env = {
    ...(await packageEnvironment(own, python, say)),
    PATH: [dirname(preferred.base), own['PATH']].filter((part) => part).join(delimiter),
    UV_PYTHON_DOWNLOADS: 'never',
    UV_PYTHON_PREFERENCE: 'system',
    UV_NO_PROGRESS: '1',
    NO_COLOR: '1',
    ...(user && (await homeOf(user, cwd))),
  };
  const command = await commandOfUv(python, (candidate) =>
    runProgram([...candidate, '--version'], { env, cwd, user, signal, seconds: 60 }),
  );
  const run = (args: readonly string[], print?: (line: string) => void): Promise<ProgramRun> =>
    runProgram([...command, ...args], { env, cwd, user, signal, seconds: SECONDS, ...(print && { print }) });

  async function must(args: readonly string[], print: (line: string) => void): Promise<void> {
    const { code, lines } = await run(args, (line) => print(withoutSecrets(line)));
    if (code === 0) return;
    const reason = withoutSecrets(tellingLine(lines) ?? `uv ${args[0]} ended with code ${code}`);
    // uv's own word for what asking again does not mend: packages that do not exist, do not fit, or cannot be built.
    throw code === 1 ? new ModelFault(reason) : new Error(reason);
  }

  return {
    async find(request) {
      const asked = request === null ? [] : [request];
      const { code, lines } = await run(['python', 'find', '--system', '--no-project', ...asked]);
      return code === 0 ? lines.at(-1) : undefined;
    },
    async install(folder, interpreter, requirements, print) {
      await must(['venv', '--relocatable', '--no-project', '--python', interpreter, folder], print);
      if (requirements.length === 0) return;
      const file = join(folder, 'batchpoint-requirements.txt');
      // Exclusive: who builds packages may write here, too.
      await writeFile(file, requirements.map((line) => `${line}\n`).join(''), { flag: 'wx' });
      await must(['pip', 'install', '--python', pythonIn(folder), '--requirements', file], print);
    },
  };
}

/** The app's home and cache are closed to the user: it has its own, below `folder`. */
async function homeOf({ uid, gid }: CodeUser, folder: string): Promise<Record<string, string>> {
  const home = join(folder, 'home');
  await mkdir(home, { recursive: true, mode: 0o700 });
  await chown(home, uid, gid);
  // A link to a file of the cache would make the file root's with the environment.
  return { HOME: home, TMPDIR: home, UV_CACHE_DIR: join(home, 'cache'), UV_LINK_MODE: 'copy' };
}

type Command = readonly [string, ...string[]];

async function commandOfUv(python: string, version: (command: Command) => Promise<ProgramRun>): Promise<Command> {
  const candidates: readonly Command[] = [['uv'], [python, '-m', 'uv']];
  for (const candidate of candidates) {
    try {
      if ((await version(candidate)).code === 0) return candidate;
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error;
    }
  }
  throw new ModelFault('Environments are built by uv, which is not on this machine: pip install uv.');
}
