import { StringDecoder } from 'node:string_decoder';

/** A line that a command printed. */
export interface CommandLine {
  readonly stream: 'stdout' | 'stderr';
  /** Without its line end, cut to a bounded length. */
  readonly text: string;
}

/** Characters of one line; the rest of it is dropped. */
const MAX_LINE = 4000;

/** What one run may print in full: characters, a line counting as 100 at least. The last lines after it are shown at its end. */
const MAX_PRINTED = 8_000_000;
const MIN_COST = 100;
const LAST_LINES = 50;

/** Lines of stderr that a reason may quote, and characters of the quote. */
const QUOTED_LINES = 3;
const MAX_QUOTE = 600;

export interface CommandLines {
  /** Takes bytes as they come. */
  push(stream: CommandLine['stream'], bytes: Uint8Array): void;
  /** Prints what is left: lines without an end, and the last ones of a run that printed too much. */
  end(): void;
  /** The last lines of stderr, or of stdout when it has none, for a reason; empty when nothing was printed. */
  last(): string;
}

/**
 * Cuts what a command prints into lines and hands each on at once. A run that prints without end costs neither memory nor a full
 * log: after a budget only the last lines are kept. A carriage return starts the line anew, as on a terminal (progress bars).
 */
export function commandLines(print: (line: CommandLine) => void): CommandLines {
  const tails: Record<CommandLine['stream'], string[]> = { stdout: [], stderr: [] };
  const held: CommandLine[] = [];
  let left = MAX_PRINTED;
  let dropped = 0;

  const take = (stream: CommandLine['stream'], texts: readonly string[]): void => {
    for (const text of texts.slice(-LAST_LINES)) if (text.trim() !== '') keepLast(tails[stream], text, QUOTED_LINES);
    for (const [index, text] of texts.entries()) {
      if (left <= 0) return hold(stream, texts.slice(index));
      left -= Math.max(text.length, MIN_COST);
      print({ stream, text: shown(text) });
    }
  };
  const hold = (stream: CommandLine['stream'], texts: readonly string[]): void => {
    const last = texts.slice(-LAST_LINES);
    dropped += texts.length - last.length;
    for (const text of last) if (keepLast(held, { stream, text: shown(text) }, LAST_LINES)) dropped++;
  };
  const streams = {
    stdout: lineCutter((texts) => take('stdout', texts)),
    stderr: lineCutter((texts) => take('stderr', texts)),
  };

  return {
    push: (stream, bytes) => streams[stream].push(bytes),
    end() {
      streams.stdout.end();
      streams.stderr.end();
      if (dropped > 0) print({ stream: 'stderr', text: `(${dropped} lines were left out; the last ones follow)` });
      held.splice(0).forEach(print);
    },
    last() {
      const lines = tails.stderr.length > 0 ? tails.stderr : tails.stdout;
      return lines.map(shown).join('\n').slice(-MAX_QUOTE);
    },
  };
}

/** Adds to a list that holds so many at most; true when the oldest had to go. */
function keepLast<T>(list: T[], item: T, atMost: number): boolean {
  list.push(item);
  if (list.length <= atMost) return false;
  list.shift();
  return true;
}

/** Lines as they come off a stream, carriage returns and all. */
function lineCutter(take: (texts: readonly string[]) => void): { push(bytes: Uint8Array): void; end(): void } {
  const decoder = new StringDecoder('utf8');
  let open = '';
  return {
    push(bytes) {
      const [first = '', ...rest] = decoder
        .write(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length))
        .split('\n');
      open = grown(open, first);
      const last = rest.pop();
      if (last === undefined) return;
      take([open, ...rest]);
      open = grown('', last);
    },
    end() {
      open = grown(open, decoder.end());
      if (open !== '') take([open]);
      open = '';
    },
  };
}

/** A line as a terminal shows it: what stands after its last carriage return, and not too long. */
function shown(line: string): string {
  const ended = line.endsWith('\r') ? line.slice(0, -1) : line;
  const text = ended.slice(ended.lastIndexOf('\r') + 1);
  return text.length > MAX_LINE ? `${text.slice(0, MAX_LINE)}…` : text;
}

/** A line that goes on: never longer than is shown, and without what a progress bar has written over. */
function grown(open: string, more: string): string {
  const text = open + more;
  if (text.length <= 2 * MAX_LINE) return text;
  const anew = text.lastIndexOf('\r', text.length - 2);
  return (anew === -1 ? text : text.slice(anew + 1)).slice(0, MAX_LINE + 1);
}
