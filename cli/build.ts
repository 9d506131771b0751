import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

const SOURCES = ['functions', 'shared', 'local', 'package.json', 'tsconfig.json'];

/** Written last, so that a build that was cut off does not count. */
const STAMP = '.built';

/** Compiles the app into dist/ unless what is there is newer than every source. Throws with the compiler's words. */
export async function ensureBuilt(project: string, say: (text: string) => void): Promise<void> {
  const dist = join(project, 'dist');
  const built = await modified(join(dist, STAMP));
  const newest = Math.max(...(await Promise.all(SOURCES.map((source) => newestIn(join(project, source))))));
  if (built > newest) return;
  say('Compiling…\n');
  await rm(dist, { recursive: true, force: true });
  const tsc = join(dirname(createRequire(import.meta.url).resolve('typescript/package.json')), 'bin/tsc');
  const compiler = spawn(process.execPath, [tsc, '-p', project], {
    cwd: project,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let words = '';
  compiler.stdout.on('data', (chunk: Buffer) => (words += chunk.toString('utf8')));
  const [code] = (await once(compiler, 'close')) as [number | null];
  if (code !== 0) throw new Error(`The app does not compile:\n${words}`);
  await copyPython(project, dist);
  await writeFile(join(dist, STAMP), '');
}

/** What Python runs lies beside what starts it. */
async function copyPython(project: string, dist: string): Promise<void> {
  for (const path of await readdir(join(project, 'shared'), { recursive: true })) {
    if (path.endsWith('.py')) await cp(join(project, 'shared', path), join(dist, 'shared', path));
  }
}

async function newestIn(path: string): Promise<number> {
  const own = await stat(path);
  if (!own.isDirectory()) return own.mtimeMs;
  const files = await readdir(path, { recursive: true, withFileTypes: true });
  const times = await Promise.all(files.map((file) => modified(join(file.parentPath, file.name))));
  return Math.max(own.mtimeMs, ...times);
}

/** Milliseconds; 0 for a file that is not there. */
async function modified(path: string): Promise<number> {
  try {
    return (await stat(path)).mtimeMs;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return 0;
    throw error;
  }
}
