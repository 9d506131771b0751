import type { PrintedLine } from './engine.ts';

const MAX_LINE_BYTES = 8 * 1024;
/** What a run may print; more is counted only. */
const MAX_RUN_BYTES = 1024 * 1024;

const LF = 10;

type Print = (line: PrintedLine) => void;

export interface PrintedLines {
  /** Takes what came from a stream. */
  push(stream: PrintedLine['stream'], chunk: Buffer): void;
  /** A run begins: lines go to `print`, first those that wait for a run. */
  begin(print: Print): void;
  /** The run has ended: what it printed without a line end is a line, and what was left out is said. */
  end(): void;
  /** The last line that was printed. */
  last(): string | undefined;
}

/** Cuts what a worker prints into lines of bounded length and number. Between runs they wait for the next one. */
export function printedLines(worker: number): PrintedLines {
  const waiting: PrintedLine[] = [];
  let print: Print | undefined;
  let left = MAX_RUN_BYTES;
  let dropped = 0;
  let lastText: string | undefined;
  const streams = { stdout: splitter('stdout'), stderr: splitter('stderr') };

  function say(stream: PrintedLine['stream'], text: string): void {
    const line = { worker, stream, text };
    if (text.trim() !== '') lastText = text;
    if (print === undefined) waiting.push(line);
    else print(line);
  }

  function splitter(stream: PrintedLine['stream']) {
    let pieces: Buffer[] = [];
    let bytes = 0;
    let cut = false;

    function keep(piece: Buffer): void {
      const room = MAX_LINE_BYTES - bytes;
      if (piece.length > room) cut = true;
      const kept = piece.subarray(0, room);
      if (kept.length > 0) pieces.push(kept);
      bytes += kept.length;
    }

    function endLine(): void {
      say(stream, lineText(Buffer.concat(pieces), cut));
      pieces = [];
      bytes = 0;
      cut = false;
    }

    return {
      push(chunk: Buffer): void {
        for (let at = 0; at < chunk.length;) {
          if (left <= 0) {
            dropped += chunk.length - at;
            return;
          }
          const found = chunk.indexOf(LF, at);
          const end = found < 0 ? chunk.length : found;
          keep(chunk.subarray(at, end));
          left -= end - at + 1;
          at = end + 1;
          if (found >= 0) endLine();
        }
      },
      endOfRun(): void {
        if (bytes > 0) endLine();
      },
    };
  }

  return {
    push: (stream, chunk) => streams[stream].push(chunk),
    begin(to) {
      print = to;
      for (const line of waiting.splice(0)) print(line);
    },
    end() {
      streams.stdout.endOfRun();
      streams.stderr.endOfRun();
      if (dropped > 0) {
        say('stderr', `${dropped} more bytes were printed and are left out: a run's log ends after ${MAX_RUN_BYTES}.`);
      }
      print = undefined;
      left = MAX_RUN_BYTES;
      dropped = 0;
    },
    last: () => lastText,
  };
}

/** As a terminal would show it: what a carriage return goes back over is gone. */
function lineText(bytes: Buffer, cut: boolean): string {
  const text = bytes.toString('utf8').replace(/\r+$/, '');
  const shown = text.slice(text.lastIndexOf('\r') + 1);
  // The cut may lie inside a character.
  return cut ? `${shown.replace(/\ufffd+$/, '')}…` : shown;
}
