import { afterEach } from 'vitest';
import type { FileEngine, FileToScore, ScoredPart } from '../../../shared/scoring/engine.ts';
import { onnxEngine } from '../../../shared/scoring/onnx/engine.ts';
import { scoringPlaces } from '../../../shared/scoring/scoring-places.ts';
import { onnxModel, type Graph } from './onnx-graph.ts';
import { OPTIONS, inputsNamed } from './score-text.ts';

const GRAPH: Graph = {
  nodes: [{ op: 'Identity', in: ['x'], out: ['y'] }],
  inputs: [{ name: 'x', type: 'float32', shape: ['N', 2] }],
  outputs: [{ name: 'y', type: 'float32', shape: ['N', 2] }],
};
export const MODEL = onnxModel(GRAPH);
const signature = inputsNamed('a', 'b');
export const never = new AbortController().signal;

const engines: FileEngine[] = [];
afterEach(async () => {
  await Promise.all(engines.splice(0).map((engine) => engine.close()));
});
export async function engineOf(threads = 1, model = MODEL, places = scoringPlaces(threads)): Promise<FileEngine> {
  const engine = await onnxEngine({ model, signature, places });
  engines.push(engine);
  return engine;
}

export async function* body(...chunks: (string | Uint8Array)[]): AsyncGenerator<Uint8Array> {
  for (const chunk of chunks) yield Buffer.from(chunk);
}

export const RECORD = `1.5,2.5,${'-'.repeat(191)}\n`;

/** A file that goes on until its reader stops, and counts what it gave. */
export function endless() {
  const block = Buffer.from(RECORD.repeat(256));
  const state = { bytes: 0, closed: false };
  async function* chunks(limit = Infinity) {
    try {
      yield Buffer.from('a,b,note\n');
      while (state.bytes < limit) {
        state.bytes += block.length;
        yield block;
      }
    } finally {
      state.closed = true;
    }
  }
  return { state, chunks };
}

/** A file that is read as a stream. */
export function streamed(content: AsyncIterable<Uint8Array>, name = 'f'): FileToScore {
  const range = () => Promise.reject(new Error('a stream has no ranges'));
  return { name, length: 0, body: content, range };
}

export async function scoreAll(engine: FileEngine, content: AsyncIterable<Uint8Array>, name = 'f', signal = never) {
  return scoreParts(engine, streamed(content, name), signal);
}

export async function scoreParts(engine: FileEngine, file: FileToScore, signal = never) {
  const parts: ScoredPart[] = [];
  for await (const part of engine.score(file, OPTIONS, signal)) parts.push(part);
  return {
    text: Buffer.concat(parts.map(({ bytes }) => bytes)).toString(),
    rows: parts.reduce((sum, { rows }) => sum + rows, 0),
    failures: parts.flatMap(({ failures }) => failures),
  };
}

export const usable = { text: 'f,0,1,2\n', rows: 1, failures: [] };
