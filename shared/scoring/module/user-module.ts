import { execFile } from 'node:child_process';
import { access } from 'node:fs/promises';
import { extname, resolve, sep } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { ModelFault } from '../engine.ts';
import { useAppPackages } from './app-packages.ts';
import { faultLine, placeIn } from './fault-line.ts';

/** What a module exports, as far as it is known: functions, and not what they return. */
export interface UserModule {
  readonly init?: ((...args: unknown[]) => unknown) | undefined;
  readonly run: (...args: unknown[]) => unknown;
}

const TYPESCRIPT = ['.ts', '.mts'];
const ENDINGS = ['.js', '.mjs', '.cjs', ...TYPESCRIPT];

/** Imports the module. Throws ModelFault with one line: where it is wrong and what to do. `codeFolder` is a real path. */
export async function importModule(codeFolder: string, script: string): Promise<UserModule> {
  const path = await modulePath(codeFolder, script);
  let lastLoaded = path;
  useAppPackages(codeFolder, (url) => {
    if (url.startsWith('file:')) lastLoaded = fileURLToPath(url);
  });
  let exported: unknown;
  try {
    exported = await import(pathToFileURL(path).href);
  } catch (error) {
    const line = faultLine(error, codeFolder);
    const place =
      error instanceof SyntaxError && !line.endsWith(')') ? await syntaxPlace(lastLoaded, codeFolder) : undefined;
    throw new ModelFault(`The module ${script} cannot be imported: ${line}${place ?? ''}${hint(error)}`);
  }
  const module = functionsOf(exported) ?? functionsOf(property(exported, 'default'));
  if (module === undefined)
    throw new ModelFault(
      `The module ${script} exports no function 'run': add 'export function run(miniBatch, context) { … }'.`,
    );
  return module;
}

async function modulePath(codeFolder: string, script: string): Promise<string> {
  const path = resolve(codeFolder, script);
  if (!path.startsWith(codeFolder + sep)) throw new ModelFault(`The module ${script} lies outside the code's folder.`);
  const ending = extname(path);
  if (!ENDINGS.includes(ending)) throw new ModelFault(`The module ${script} is none of ${ENDINGS.join(', ')}.`);
  if (TYPESCRIPT.includes(ending) && !process.features.typescript)
    throw new ModelFault(
      `The module ${script} is TypeScript, which Node ${process.versions.node} does not run: use Node 22.18 or later, or JavaScript.`,
    );
  try {
    await access(path);
  } catch (error) {
    throw new ModelFault(`The code has no file ${script}: name the scoring script by its path in the code's folder.`, {
      cause: error,
    });
  }
  return path;
}

/** Node tells the place of a syntax error in JavaScript only to those who look at its output. */
async function syntaxPlace(path: string, codeFolder: string): Promise<string | undefined> {
  try {
    await promisify(execFile)(process.execPath, ['--check', path]);
    return undefined;
  } catch (error) {
    const place = placeIn(String(property(error, 'stderr')), codeFolder);
    return place === undefined ? undefined : ` (${place})`;
  }
}

function hint(error: unknown): string {
  const code = property(error, 'code');
  if (code === 'ERR_MODULE_NOT_FOUND' || code === 'MODULE_NOT_FOUND')
    return '. Put what it imports into the code folder, packages into its node_modules.';
  if (code === 'ERR_UNSUPPORTED_TYPESCRIPT_SYNTAX') return '. Node only removes types: write what they compile to.';
  return '';
}

function functionsOf(exported: unknown): UserModule | undefined {
  const run = property(exported, 'run');
  const init = property(exported, 'init');
  if (!isFunction(run)) return undefined;
  if (init !== undefined && !isFunction(init))
    throw new ModelFault("The module's 'init' is no function: export a function, or nothing, under this name.");
  return { init: init?.bind(exported), run: run.bind(exported) };
}

const isFunction = (value: unknown): value is (...args: unknown[]) => unknown => typeof value === 'function';

function property(value: unknown, name: string): unknown {
  if ((typeof value !== 'object' && typeof value !== 'function') || value === null) return undefined;
  return Reflect.get(value, name);
}
