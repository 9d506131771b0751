import { JobFault } from '../domain/errors.ts';
import type { InputFile } from '../domain/plan.ts';
import { filesLabel } from '../domain/receipts.ts';
import { quoteCell } from '../formats/csv-encoder.ts';
import { ModelFault, type LocalFile, type MiniBatchEngine, type MiniBatchPart } from '../scoring/engine.ts';
import { localCopies, type Copied } from './local-copies.ts';
import { failFile } from './file-outcomes.ts';
import { noteColumns, type MiniBatchesToCome, type Scoring, type SliceWork } from './slice-work.ts';
import type { OutputStaging } from './stage-output-files.ts';
import type { WorkFolder } from './work-folder.ts';

export interface CodeWork {
  readonly engine: MiniBatchEngine;
  readonly folder: WorkFolder;
  readonly staging: OutputStaging;
}

/** The copies of a mini-batch's files, for all its tries. */
interface Held {
  readonly files: readonly InputFile[];
  have(files: readonly InputFile[]): Promise<Copied>;
  release(): Promise<void>;
}

/** Mini-batches whose files are here before their turn: with one alone storage would wait for the code at the end of each. */
const AHEAD = 2;

/** Bytes of a mini-batch up to which it is downloaded behind another one: larger ones keep storage busy, and take much of a disk. */
const SMALL = 4 * 1024 * 1024;

/** Scores with a user's code over local copies. While it works on a mini-batch, the files of the next ones are downloaded in order. */
export function codeScoring(code: CodeWork): Scoring {
  let expected: MiniBatchesToCome = [];
  const ahead: Held[] = [];
  /** Those that were begun before their turn, until the last one has ended, however it ended. */
  let downloads: Promise<unknown> = Promise.resolve();

  const lookAhead = (work: SliceWork): void => {
    let place = 0;
    for (const files of expected) {
      if (place === AHEAD || (place > 0 && sizeOf(files) > SMALL)) return;
      if (place++ < ahead.length) continue;
      const held = hold(code, work, files);
      ahead.push(held);
      // A fault is met again, and told, by the try that needs the files.
      downloads = downloads.then(() => held.have(files)).catch(() => undefined);
    }
  };
  const take = (work: SliceWork, files: readonly InputFile[]): Held => {
    const [next] = ahead;
    if (next?.files[0] !== files[0] || next?.files.length !== files.length) return hold(code, work, files);
    ahead.shift();
    return next;
  };
  return {
    rowColumns: false,
    takesRanges: false,
    expect(miniBatches) {
      expected = miniBatches;
    },
    begin(work, all) {
      const held = take(work, all);
      return {
        async run(files, attempt) {
          const { here, failed } = await held.have(files);
          lookAhead(work);
          for (const { file, fault } of failed) await failFile(work, file, fault, attempt);
          if (here.length > 0) await runCode(work, code, here, attempt);
        },
        end: () => held.release(),
      };
    },
    async end() {
      await Promise.all(ahead.splice(0).map((held) => held.release()));
      await code.folder.end();
    },
  };
}

const sizeOf = (files: readonly InputFile[]): number => files.reduce((sum, { length }) => sum + length, 0);

function hold({ folder, engine }: CodeWork, work: SliceWork, files: readonly InputFile[]): Held {
  const over = new AbortController();
  const source = {
    blobs: work.input,
    container: work.manifest.inputContainer,
    signal: AbortSignal.any([over.signal, work.stopped]),
    inMemory: engine.takesBytes,
  };
  let made: Promise<string> | undefined;
  let copies: ReturnType<typeof localCopies> | undefined;
  let last: Promise<unknown> = Promise.resolve();
  return {
    files,
    have(some) {
      const copied = last.then(async () => {
        over.signal.throwIfAborted();
        copies ??= localCopies(source, await (made ??= folder.make()));
        return copies(some);
      });
      last = copied.catch(() => undefined);
      return copied;
    },
    async release() {
      over.abort();
      await last;
      // A folder that could not be made was told to whom asked for it.
      const path = await made?.catch(() => undefined);
      if (path !== undefined) folder.discard(path, true);
    },
  };
}

/** One try. Throws JobFault when the code can never run, or when its results do not fit to those before. */
async function runCode(
  work: SliceWork,
  { engine, folder, staging }: CodeWork,
  files: readonly LocalFile[],
  attempt: number,
): Promise<void> {
  const { settings, extensions } = work.manifest;
  const { outputFormat, outputColumns } = extensions;
  const summaryOnly = settings.outputAction === 'SummaryOnly';
  const label = filesLabel(files);
  const outputFolder = await folder.make();
  const over = new AbortController();
  let returned: Extract<MiniBatchPart, { type: 'returned' }> | undefined;
  try {
    const parts = engine.score(
      { files, outputFolder },
      {
        options: { outputFormat, outputColumns, summaryOnly },
        timeoutMs: settings.timeoutSeconds * 1000,
        signal: AbortSignal.any([over.signal, work.stopped]),
        print: (line) => work.log.printed(line),
      },
    );
    for await (const part of parts) {
      if (part.type === 'returned') {
        returned = part;
        continue;
      }
      if (part.rows > 0) noteColumns(work, part.columns, label);
      work.tallies.rows += part.rows;
      await work.output.append(part.bytes, part.rows);
    }
    if (!returned) throw new Error('The engine did not say how many results run() returned.');
    if (summaryOnly) work.files.push(...(await staging.stage(outputFolder, label)));
  } catch (error) {
    over.abort(error);
    if (work.stopped.aborted) throw work.stopped.reason;
    throw error instanceof ModelFault ? scriptFailed(error) : error;
  } finally {
    // Code that failed, or goes on after its run, must not write into another output.
    folder.discard(outputFolder, returned !== undefined && !summaryOnly);
  }
  const processed = summaryOnly ? processedFiles(files, returned) : undefined;
  if (processed) await listFiles(work, processed, label);
  await count(work, files, returned.results, processed, attempt);
}

/** Code that cannot start fails the job: no retry and no other file would help. */
const scriptFailed = (error: ModelFault): JobFault => new JobFault('ScriptFailed', error.message);

/** With SummaryOnly: all files, or of too few results those that are named among them. */
function processedFiles(
  files: readonly LocalFile[],
  { results, items }: { readonly results: number; readonly items: readonly string[] },
): readonly LocalFile[] {
  if (results >= files.length) return files;
  const named = new Set(items);
  return files.filter(({ name, path }) => [name, path, name.split('/').at(-1) ?? name].some((text) => named.has(text)));
}

/** The rows of a SummaryOnly job: which files were processed. */
async function listFiles(work: SliceWork, files: readonly LocalFile[], label: string): Promise<void> {
  if (files.length === 0) return;
  const { outputFormat } = work.manifest.extensions;
  const lines = files.map(({ name }) => (outputFormat === 'azureml' ? name : quoteCell(name, outputFormat)));
  noteColumns(work, ['file'], label);
  work.tallies.rows += files.length;
  await work.output.append(new TextEncoder().encode(`${lines.join('\n')}\n`), files.length);
}

/** Every result counts as one file, as Azure ML counts; fewer than there are files, and the rest has failed. */
async function count(
  work: SliceWork,
  files: readonly LocalFile[],
  results: number,
  processed: readonly LocalFile[] | undefined,
  attempt: number,
): Promise<void> {
  const missing = Math.max(0, files.length - results);
  work.tallies.filesDone += files.length - missing;
  if (missing === 0) return;
  const plural = (n: number, noun: string): string => `${n} ${noun}${n === 1 ? '' : 's'}`;
  const reason = `run() returned ${plural(results, 'result')} for ${plural(files.length, 'file')}.`;
  const unnamed = { name: filesLabel(files) };
  const failed =
    processed?.length === results
      ? files.filter((file) => !processed.includes(file))
      : Array.from({ length: missing }, () => unnamed);
  for (const file of failed) await failFile(work, file, { code: 'ResultMissing', reason }, attempt);
}
