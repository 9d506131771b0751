import type { FileEngine } from '../../shared/scoring/engine.ts';
import { FileFault } from '../../shared/scoring/engine.ts';

export interface LineEngine extends FileEngine {
  /** Files in the order in which scoring began: names, and of parts their first rows after a colon. */
  readonly seen: string[];
}

/**
 * A small engine for tests of the steps: every line of a file is a record whose prediction is the line itself. A line `bad`
 * fails alone, a line `not csv` fails its file, and a line `crash` makes the engine throw. Of a part, which has no head, the lines
 * count on from its first row.
 */
export function lineEngine(): LineEngine {
  const seen: string[] = [];
  return {
    seen,
    kind: 'file',
    takesParts: true,
    columns: ['value'],
    async *score({ name, body, part }, _options, signal) {
      seen.push(part ? `${name}:${part.row}` : name);
      let text = '';
      for await (const chunk of body) {
        signal.throwIfAborted();
        text += new TextDecoder().decode(chunk);
      }
      const lines = text.split('\n').filter((line) => line !== '');
      for (const [place, line] of lines.entries()) {
        const row = (part?.row ?? 0) + place;
        if (line === 'crash') throw new Error('the engine crashed');
        if (line === 'not csv') throw new FileFault('NotCsv', 'The file is not CSV.', { line: row + 1 });
        if (line === 'bad') {
          const failures = [{ row, line: row + 1, code: 'BadRecord', reason: 'The record is bad.' }];
          yield { bytes: new Uint8Array(), rows: 0, failures };
          continue;
        }
        yield { bytes: new TextEncoder().encode(`${name},${row},${line}\n`), rows: 1, failures: [] };
      }
    },
    async close() {},
  };
}
