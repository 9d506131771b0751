import { InferenceSession, Tensor } from 'onnxruntime-node';
import { COLUMNS } from './data.ts';

const BATCH = 8192;
const LF = 10;
const COMMA = 44;
const DOT = 46;
const MINUS = 45;

const POWERS = [1, 10, 100, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10];

/**
 * The least that any program must do with such a file: a numeric loop for exactly this form of number (no quotes, exponents,
 * line counts or errors). Fills `values` from `at` on and answers where it stopped.
 */
function parseBatch(csv: Buffer, at: number, values: Float32Array): { at: number; filled: number } {
  let p = at;
  let filled = 0;
  while (p < csv.length && filled < values.length) {
    let mantissa = 0;
    let decimals = -1;
    const negative = csv[p] === MINUS;
    if (negative) p++;
    for (;;) {
      const byte = csv[p++] as number;
      if (byte === COMMA || byte === LF) break;
      if (byte === DOT) {
        decimals = 0;
        continue;
      }
      mantissa = mantissa * 10 + byte - 48;
      if (decimals >= 0) decimals++;
    }
    const value = decimals > 0 ? mantissa / (POWERS[decimals] as number) : mantissa;
    values[filled++] = negative ? -value : value;
  }
  return { at: p, filled };
}

/** Parses alone. Answers records a second. */
export function parseOnly(csv: Buffer): number {
  const started = performance.now();
  const values = new Float32Array(BATCH * COLUMNS);
  let records = 0;
  for (let at = csv.indexOf(LF) + 1; at < csv.length;) {
    const batch = parseBatch(csv, at, values);
    at = batch.at;
    records += batch.filled / COLUMNS;
  }
  return records / ((performance.now() - started) / 1000);
}

/** Parses and scores in one thread, bytes in memory, predictions thrown away. Answers records a second. */
export async function bareLoop(csv: Buffer, session: InferenceSession): Promise<number> {
  const started = performance.now();
  const values = new Float32Array(BATCH * COLUMNS);
  const input = session.inputNames[0] ?? '';
  let records = 0;
  for (let at = csv.indexOf(LF) + 1; at < csv.length;) {
    const batch = parseBatch(csv, at, values);
    at = batch.at;
    const count = batch.filled / COLUMNS;
    await session.run({ [input]: new Tensor('float32', values.subarray(0, batch.filled), [count, COLUMNS]) });
    records += count;
  }
  return records / ((performance.now() - started) / 1000);
}

/** A session on one thread, as the bare loop's author would make it. */
export const bareSession = (model: string): Promise<InferenceSession> =>
  InferenceSession.create(model, { intraOpNumThreads: 1, interOpNumThreads: 1, logSeverityLevel: 3 });
