import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { onTestFinished } from 'vitest';
import type { CodeOptions, MiniBatch, MiniBatchEngine, PrintedLine, Run } from '../../../../shared/scoring/engine.ts';
import { moduleEngine } from '../../../../shared/scoring/module/engine.ts';

export async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'module-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

export async function writeFiles(folder: string, files: Readonly<Record<string, string>>): Promise<void> {
  for (const [name, content] of Object.entries(files)) {
    await mkdir(dirname(join(folder, name)), { recursive: true });
    await writeFile(join(folder, name), content);
  }
}

interface Code {
  /** Files of the code folder; the first is the scoring script. */
  readonly files: Readonly<Record<string, string>>;
  readonly options?: Partial<Parameters<typeof moduleEngine>[0]>;
}

/** The engine of a module, closed at the test's end. */
export async function engineOf({ files, options = {} }: Code): Promise<MiniBatchEngine> {
  const folder = await temporaryFolder();
  await writeFiles(folder, files);
  const engine = await moduleEngine({
    workers: 1,
    codeFolder: folder,
    script: Object.keys(files)[0] ?? '',
    modelFolder: folder,
    environmentVariables: {},
    loggingLevel: 'Info',
    idleMs: 60_000,
    ...options,
  });
  onTestFinished(() => engine.close());
  return engine;
}

export interface Scored {
  readonly text: string;
  readonly columns: readonly string[] | undefined;
  readonly rows: number;
  readonly results: number;
  readonly items: readonly string[];
  readonly printed: readonly PrintedLine[];
}

interface Task extends Partial<CodeOptions>, Partial<Pick<Run, 'timeoutMs' | 'signal' | 'print'>> {
  /** Contents by name; the files lie in a folder of this run, or in memory. */
  readonly files?: Readonly<Record<string, string>>;
  readonly inMemory?: boolean;
}

/** Runs one mini-batch of files with these contents and gathers all that came of it. */
export async function scoreAll(
  engine: MiniBatchEngine,
  { files = { 'a.txt': 'A' }, inMemory = false, ...run }: Task = {},
): Promise<Scored> {
  const folder = await temporaryFolder();
  if (!inMemory) await writeFiles(folder, files);
  const local = Object.entries(files).map(([name, content]) => ({
    name,
    path: join(folder, name),
    ...(inMemory && { bytes: Buffer.from(content) }),
  }));
  return gather(engine, { files: local, outputFolder: await temporaryFolder() }, run);
}

export async function gather(
  engine: MiniBatchEngine,
  miniBatch: MiniBatch,
  { timeoutMs = 30_000, signal = new AbortController().signal, print, ...options }: Omit<Task, 'files' | 'inMemory'>,
): Promise<Scored> {
  const printed: PrintedLine[] = [];
  const parts = engine.score(miniBatch, {
    options: { outputFormat: 'csv', summaryOnly: false, ...options },
    timeoutMs,
    signal,
    print: print ?? ((line) => printed.push(line)),
  });
  const texts: string[] = [];
  let columns: readonly string[] | undefined;
  let rows = 0;
  let returned: { results: number; items: readonly string[] } | undefined;
  for await (const part of parts) {
    if (part.type === 'rows') {
      texts.push(Buffer.from(part.bytes).toString('utf8'));
      columns = part.columns;
      rows += part.rows;
    } else {
      returned = part;
    }
  }
  if (returned === undefined) throw new Error('The run ended without saying how many results there were.');
  const { results, items } = returned;
  return { text: texts.join(''), columns, rows, results, items, printed };
}

export function alive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
