import { access, constants } from 'node:fs/promises';
import { delimiter, join } from 'node:path';

/** What serves the app: our own host, or Core Tools at a path. */
export type FunctionsHost = { readonly name: 'embedded' } | { readonly name: 'func'; readonly path: string };

export const HOST_NAMES = ['embedded', 'func'] as const;

/**
 * The host that was asked for, else Core Tools where they are on PATH, else the embedded one. Throws when Core Tools are asked
 * for and missing, and on a name that is none.
 */
export async function chooseHost(asked: string | undefined, path: string | undefined): Promise<FunctionsHost> {
  if (asked !== undefined && asked !== 'embedded' && asked !== 'func')
    throw new Error(`--host is ${HOST_NAMES.join(' or ')}, not '${asked}'.`);
  if (asked === 'embedded') return { name: 'embedded' };
  for (const folder of (path ?? '').split(delimiter)) {
    const func = join(folder, 'func');
    if (folder !== '' && (await isExecutable(func))) return { name: 'func', path: func };
  }
  if (asked === undefined) return { name: 'embedded' };
  throw new Error("There is no 'func' on PATH: install Azure Functions Core Tools 4, or use --host embedded.");
}

/** Says which host runs. */
export const describeHost = (host: FunctionsHost): string =>
  host.name === 'func'
    ? `Azure Functions Core Tools (${host.path}; --host embedded for our own)`
    : 'the embedded host (a stand-in for Azure Functions Core Tools)';

async function isExecutable(path: string): Promise<boolean> {
  try {
    await access(path, constants.X_OK);
    return true;
  } catch {
    // Not there or not for us: either way the next folder is looked into.
    return false;
  }
}
