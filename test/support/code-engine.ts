import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import type { CodeOptions, MiniBatch, MiniBatchEngine, PrintedLine } from '../../shared/scoring/engine.ts';

export interface CodeCall extends MiniBatch {
  readonly options: CodeOptions;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
  print(text: string, stream?: PrintedLine['stream']): void;
}

/** A row is a list of cells under the columns of `columns`, or a text in the column `prediction`. */
export interface CodeResult {
  readonly columns?: readonly string[];
  readonly rows: readonly (string | readonly string[])[];
}

/** An engine for tests of the steps: `run` takes the place of a user's code and of what carries its rows. */
export function codeEngine(run: (call: CodeCall) => Promise<CodeResult>): MiniBatchEngine {
  return {
    kind: 'miniBatch',
    takesBytes: false,
    columns: null,
    async *score(miniBatch, { options, timeoutMs, signal, print }) {
      const printLine: CodeCall['print'] = (text, stream = 'stdout') => print({ worker: 0, stream, text });
      const { columns = ['prediction'], rows } = await run({
        ...miniBatch,
        options,
        timeoutMs,
        signal,
        print: printLine,
      });
      const lines = rows.map((row) => (typeof row === 'string' ? row : row.join(',')));
      // Two parts, as of a result that is carried in pieces.
      const half = Math.ceil(lines.length / 2);
      for (const part of [lines.slice(0, half), lines.slice(half)]) {
        if (options.summaryOnly || part.length === 0) continue;
        const bytes = new TextEncoder().encode(part.map((line) => `${line}\n`).join(''));
        yield { type: 'rows', bytes, rows: part.length, columns };
      }
      const items = options.summaryOnly ? lines.slice(0, miniBatch.files.length) : [];
      yield { type: 'returned', results: lines.length, items };
    },
    async close() {},
  };
}

/** A row for each file: its name and content, without line ends. */
export async function namesAndContents({ files }: MiniBatch): Promise<CodeResult> {
  const rows = files.map(async ({ path }) => `${basename(path)} ${(await readFile(path, 'utf8')).trim()}`);
  return { rows: await Promise.all(rows) };
}
