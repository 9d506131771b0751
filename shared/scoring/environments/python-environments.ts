import { createHash } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { letThrough, type CodeUser } from '../code-user.ts';
import { ModelFault } from '../engine.ts';
import { builtEnvironments, type BuiltLease } from './built-environments.ts';
import type { Installable } from './conda-file.ts';
import { installableOf } from './installable.ts';
import { mappedInterpreter } from './interpreter-map.ts';
import { probeInterpreter, type Interpreter } from './interpreter-probe.ts';
import { bareName, isCurated, MODEL_REQUIREMENTS, type EnvironmentNeeds } from './needs.ts';
import { rememberSuccess } from './remember-success.ts';
import { sharedBuilds } from './shared-build.ts';
import { findUv, pythonIn } from './uv.ts';

export interface PythonEnvironmentsSetting {
  /** BATCHPOINT_PYTHON: the default interpreter, a path or a command. */
  readonly python: string;
  /** BATCHPOINT_PYTHON_ENVIRONMENTS: an environment's name, label or image, or the start of one and `*`, to an interpreter. */
  readonly map: Readonly<Record<string, string>>;
  /** BATCHPOINT_BUILD_ENVIRONMENTS. */
  readonly build: boolean;
  /** A folder on a local disk, of a short path, that several processes may share. */
  readonly root: string;
  /** Of built environments. */
  readonly maxBytes: number;
  /** The app's environment: what of it a build may know is listed in package-index.ts and code-environment.ts. */
  readonly own: Readonly<Record<string, string | undefined>>;
  /** Who builds environments and runs their interpreters; the app's own user without. */
  readonly user?: CodeUser | undefined;
  /** For what concerns the app and no job. */
  readonly say: (line: string) => void;
}

export interface PythonLease {
  /** A path or a command that starts the interpreter. */
  readonly python: string;
  /** What the environment asks for and this interpreter need not have. */
  readonly ignored: readonly string[];
  /** The interpreter is not used any more. A built environment is kept on disk until then, and longer while there is room. */
  release(): void;
}

export interface PythonEnvironments {
  /**
   * The interpreter that runs an environment; builds it when it has to be. `print` is given what the job's log should tell.
   * Throws ModelFault when it cannot be had as it is asked for, and any other Error when a build failed that may work later.
   */
  interpreter(needs: EnvironmentNeeds, print: (line: string) => void): Promise<PythonLease>;
  /**
   * Answers an interpreter of the same version, to look at code with. Throws ModelFault when the environment can never be had
   * here. Installs nothing, so that packages are not tried.
   */
  check(needs: EnvironmentNeeds): Promise<string>;
  /** Ends the builds under way. */
  close(): Promise<void>;
}

type Choice =
  | { readonly kind: 'given'; readonly python: string; readonly whose: string; readonly note?: string }
  | { readonly kind: 'build'; readonly what: Installable };

/** Which interpreter runs an environment: the map's, a virtual environment that uv builds, or the default one. */
export function pythonEnvironments(setting: PythonEnvironmentsSetting): PythonEnvironments {
  const { python, map, build, root, maxBytes, own, user, say } = setting;
  const stop = new AbortController();
  const builds = sharedBuilds<BuiltLease>();
  const probe = rememberSuccess((path: string, whose: string) => probeInterpreter(path, whose, own, user));
  const store = rememberSuccess((folder: string) => builtEnvironments({ root: folder, maxBytes, user, say }));
  const uv = rememberSuccess(async (folder: string) => {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    if (user) await letThrough(folder, user);
    const preferred = await probe(python, 'BATCHPOINT_PYTHON');
    return findUv({ own, python, preferred, cwd: folder, user, signal: stop.signal, say });
  });

  function choose(needs: EnvironmentNeeds): Choice {
    const mapped = mappedInterpreter(map, needs);
    if (mapped)
      return {
        kind: 'given',
        python: mapped.python,
        whose: `${JSON.stringify(mapped.key)} in BATCHPOINT_PYTHON_ENVIRONMENTS`,
      };
    const what = build ? installableOf(needs) : undefined;
    if (what) return { kind: 'build', what };
    const byDefault = { kind: 'given', python, whose: 'BATCHPOINT_PYTHON' } as const;
    if (needs.label === MODEL_REQUIREMENTS)
      return {
        ...byDefault,
        note: `${python} runs the model; its own requirements are not installed, as nothing is built.`,
      };
    if (isCurated(needs) || (needs.image ?? needs.condaFile ?? needs.requirements) === null) return byDefault;
    const way = build
      ? 'it has no conda file to build it from'
      : 'or have environments built with BATCHPOINT_BUILD_ENVIRONMENTS=true';
    throw new ModelFault(`There is no Python interpreter for ${needs.label}: ${mapLine(needs)}; ${way}.`);
  }

  async function findInterpreter(request: string | null, needs: EnvironmentNeeds): Promise<Interpreter> {
    const found = await (await uv(root)).find(request);
    if (found !== undefined) return probe(found, needs.label);
    throw new ModelFault(
      `${needs.label} asks for Python ${request ?? '3'}, which is not on this machine: install it, or ${mapLine(needs)}.`,
    );
  }

  async function built(
    needs: EnvironmentNeeds,
    what: Installable,
    print: (line: string) => void,
  ): Promise<PythonLease> {
    const { ignored, requirements } = what;
    if (ignored.length > 0) print(`Ignored of ${needs.label}, because pip has no such thing: ${ignored.join('; ')}.`);
    const interpreter = await findInterpreter(what.python, needs);
    const key = keyOf(interpreter, requirements);
    const shared = builds.join(key, print, async (printAll) => {
      const [environments, installer] = await Promise.all([store(root), uv(root)]);
      return environments.lease(
        key,
        async (folder) => {
          printAll(`Building the environment ${needs.label} with Python ${interpreter.version}.`);
          await installer.install(folder, interpreter.base, requirements, printAll);
        },
        () => printAll(`Another process builds the environment ${needs.label}.`),
      );
    });
    try {
      const lease = await shared.done;
      let released = false;
      return {
        python: pythonIn(lease.folder),
        ignored,
        release() {
          if (!released && shared.leave()) lease.release();
          released = true;
        },
      };
    } catch (error) {
      const reason = `The environment ${needs.label} could not be built: ${error instanceof Error ? error.message : String(error)}`;
      throw error instanceof ModelFault
        ? new ModelFault(reason, { cause: error })
        : new Error(reason, { cause: error });
    }
  }

  return {
    async interpreter(needs, print) {
      const choice = choose(needs);
      if (choice.kind === 'build') return built(needs, choice.what, print);
      await probe(choice.python, choice.whose);
      if (choice.note !== undefined) print(choice.note);
      return { python: choice.python, ignored: [], release: () => undefined };
    },
    async check(needs) {
      const choice = choose(needs);
      if (choice.kind === 'build') return (await findInterpreter(choice.what.python, needs)).base;
      await probe(choice.python, choice.whose);
      return choice.python;
    },
    async close() {
      stop.abort(new Error('The app stops.'));
      await builds.idle();
    },
  };
}

/** What an operator sets to provide an environment. */
const mapLine = (needs: EnvironmentNeeds): string =>
  `name one with BATCHPOINT_PYTHON_ENVIRONMENTS=${JSON.stringify({ [bareName(needs)]: '/path/to/python' })}`;

/** Two environments of one key have the same packages by the same interpreter; it is the name of a folder. */
function keyOf(interpreter: Interpreter, requirements: readonly string[]): string {
  const content = JSON.stringify([interpreter.base, interpreter.version, requirements]);
  return createHash('sha256').update(content).digest('hex').slice(0, 20);
}
