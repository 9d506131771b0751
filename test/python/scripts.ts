import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, inject } from 'vitest';
import type { CodeOptions, LocalFile, MiniBatchEngine, PrintedLine } from '../../shared/scoring/engine.ts';
import { pythonEngine, type PythonCode } from '../../shared/scoring/python/engine.ts';

const opened: MiniBatchEngine[] = [];
const folders: string[] = [];

afterEach(async () => {
  await Promise.all(opened.splice(0).map((engine) => engine.close()));
  await Promise.all(folders.splice(0).map((folder) => rm(folder, { recursive: true, force: true })));
});

/** A folder that goes with the test. */
export async function testFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'batchpoint-python-'));
  folders.push(folder);
  return folder;
}

/** An engine for a script of this text, `driver.py`; it is closed with the test. */
export async function engineOf(script: string, settings: Partial<PythonCode> = {}): Promise<MiniBatchEngine> {
  const codeFolder = await testFolder();
  await writeFile(join(codeFolder, 'driver.py'), script);
  const engine = await pythonEngine({
    python: inject('python'),
    workers: 1,
    codeFolder,
    script: 'driver.py',
    modelFolder: codeFolder,
    environmentVariables: {},
    loggingLevel: 'Info',
    idleMs: 60_000,
    ...settings,
  });
  opened.push(engine);
  return engine;
}

/** A script whose `run` has this body; `files` are the paths. */
export const runScript = (body: string): string =>
  `def init():\n    pass\n\ndef run(files):\n${body
    .split('\n')
    .map((line) => `    ${line}`)
    .join('\n')}\n`;

export interface Scored {
  readonly text: string;
  readonly columns: readonly string[] | undefined;
  readonly results: number | undefined;
  readonly items: readonly string[];
  readonly lines: readonly PrintedLine[];
  /** What the script wrote, by path. */
  readonly written: Readonly<Record<string, string>>;
}

export interface ScoreSettings extends Partial<CodeOptions> {
  /** Names of files, which need not be there. */
  readonly files?: readonly string[];
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
  readonly print?: (line: PrintedLine) => void;
}

/** Scores one mini-batch. */
export async function score(engine: MiniBatchEngine, settings: ScoreSettings = {}): Promise<Scored> {
  const { files = ['a.txt', 'b.txt'], timeoutMs = 30_000, signal, print, ...options } = settings;
  const outputFolder = await testFolder();
  const lines: PrintedLine[] = [];
  const chunks: Uint8Array[] = [];
  let columns: readonly string[] | undefined;
  let results: number | undefined;
  let items: readonly string[] = [];
  const miniBatch = { files: files.map((name): LocalFile => ({ name, path: `/data/${name}` })), outputFolder };
  const run = {
    options: { outputFormat: 'csv' as const, summaryOnly: false, ...options },
    timeoutMs,
    signal: signal ?? new AbortController().signal,
    print: (line: PrintedLine) => {
      lines.push(line);
      print?.(line);
    },
  };
  for await (const part of engine.score(miniBatch, run)) {
    if (part.type === 'rows') {
      chunks.push(part.bytes);
      columns = part.columns;
    } else {
      ({ results, items } = part);
    }
  }
  const text = Buffer.concat(chunks).toString('utf8');
  return { text, columns, results, items, lines, written: await filesIn(outputFolder) };
}

async function filesIn(folder: string): Promise<Record<string, string>> {
  const files: Record<string, string> = {};
  for (const path of await readdir(folder, { recursive: true, withFileTypes: true })) {
    if (path.isFile()) {
      const full = join(path.parentPath, path.name);
      files[full.slice(folder.length + 1)] = await readFile(full, 'utf8');
    }
  }
  return files;
}

/** Writes files below a folder. */
export async function writeFiles(folder: string, files: Readonly<Record<string, string>>): Promise<void> {
  for (const [path, text] of Object.entries(files)) {
    await mkdir(join(folder, path, '..'), { recursive: true });
    await writeFile(join(folder, path), text);
  }
}
