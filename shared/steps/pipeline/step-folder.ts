import { chmod, copyFile, lchown, mkdir, mkdtemp, readdir, realpath, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { messageOf } from '../../domain/errors.ts';
import type { CodeUser } from '../../scoring/code-user.ts';
import { removeFolder } from '../../scoring/held-folder.ts';
import type { StepDeps } from './step-deps.ts';

/** Folders of a step; `code` is where its command starts. */
const PARTS = ['code', 'inputs', 'outputs', 'home', 'tmp', 'mlflow'] as const;
type Part = (typeof PARTS)[number];

const RUN = 'run';

/** The folder of one attempt of a step. Every path is absolute and free of links. */
export interface StepFolder extends Readonly<Record<Part, string>> {
  /** Holds all of the above and nothing else. */
  readonly run: string;
  /** Makes all that is there the property of who will run the command. */
  giveTo(user: CodeUser): Promise<void>;
  /** Names of files beside the step's own folders, such as `../other`, as the command would have named them. */
  strays(): Promise<string[]>;
  /** Never throws: a folder that stays costs disk, not the step. */
  remove(): Promise<void>;
}

/** Makes a fresh folder below the work folder, with a writable copy of the code. */
export async function makeStepFolder(
  { workFolder, log, codeUser }: Pick<StepDeps, 'workFolder' | 'log' | 'codeUser'>,
  codeFolder: string | undefined,
): Promise<StepFolder> {
  await mkdir(workFolder, { recursive: true });
  // Two levels of its own, so that a file in `..` or `../..` of the command can only be this step's.
  const root = await realpath(await mkdtemp(join(workFolder, 'step-')));
  const run = join(root, RUN);
  const path = (part: Part): string => join(run, part);
  await mkdir(run);
  await Promise.all(PARTS.map((part) => mkdir(path(part))));
  if (codeFolder !== undefined) await copyFiles(codeFolder, path('code'));

  return {
    run,
    code: path('code'),
    inputs: path('inputs'),
    outputs: path('outputs'),
    home: path('home'),
    tmp: path('tmp'),
    mlflow: path('mlflow'),
    giveTo: (user) => giveTo(root, user),
    async strays() {
      const [above, beside] = await Promise.all([readdir(root), readdir(run)]);
      const parts: readonly string[] = PARTS;
      return [
        ...beside.filter((name) => !parts.includes(name)).map((name) => `../${name}`),
        ...above.filter((name) => name !== RUN).map((name) => `../../${name}`),
      ];
    },
    async remove() {
      try {
        await removeFolder(root, codeUser);
      } catch (error) {
        log.warn({ folder: root, error: messageOf(error) }, 'the folder of a step could not be removed');
      }
    },
  };
}

/** The kept copy of code is read-only and shared; a command may write into its own. */
async function copyFiles(from: string, to: string): Promise<void> {
  for (const entry of await readdir(from, { withFileTypes: true })) {
    const source = join(from, entry.name);
    const target = join(to, entry.name);
    if (entry.isDirectory()) {
      await mkdir(target);
      await copyFiles(source, target);
    } else {
      await copyFile(source, target);
      await chmod(target, ((await stat(source)).mode & 0o777) | 0o600);
    }
  }
}

async function giveTo(folder: string, { uid, gid }: CodeUser): Promise<void> {
  await lchown(folder, uid, gid);
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) await giveTo(path, { uid, gid });
    else await lchown(path, uid, gid);
  }
}
