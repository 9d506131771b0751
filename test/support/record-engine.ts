import type { FileEngine } from '../../shared/scoring/engine.ts';
import type { ScoredPart } from '../../shared/scoring/engine.ts';
import { batchMemory } from '../../shared/scoring/onnx/batch-memory.ts';
import { scoreFile } from '../../shared/scoring/onnx/file-scorer.ts';
import type { LoadedModel } from '../../shared/scoring/onnx/model.ts';
import type { InputType, ModelInputs } from '../../shared/scoring/onnx/model-inputs.ts';

/** Records of a batch: few, so that batches end in the middle of small files. */
const CAPACITY = 3;

/** A record with this text in a column ends the process, as `crash` sees it. */
export const DEADLY = 'deadly';

/**
 * The app's own engine with a model that answers the columns `a` (text) and `b` (a number) as it got them, in this thread. `crash`
 * is called for a record with the text `DEADLY`.
 */
export function recordEngine(crash: () => void = () => undefined): FileEngine {
  return {
    kind: 'file',
    takesParts: true,
    columns: ['a', 'b'],
    async *score(file, options) {
      const parts: ScoredPart[] = [];
      const chunks = file.body[Symbol.asyncIterator]();
      const source = {
        length: file.length,
        range: file.range,
        async next() {
          const step = await chunks.next();
          return step.done === true ? undefined : step.value;
        },
        close() {},
      };
      await scoreFile(echoModel(crash), file, source, options, (part) => void parts.push(part));
      yield* parts;
    },
    async close() {},
  };
}

function echoModel(crash: () => void): LoadedModel {
  const columns: readonly { name: string; type: InputType }[] = [
    { name: 'a', type: 'string' },
    { name: 'b', type: 'float64' },
  ];
  const described: ModelInputs = {
    inputs: columns.map(({ type }, index) => ({ name: String(index), type, dims: [1], width: 1 })),
    columns: columns.map(({ name, type }, input) => ({ name, type, input, offset: 0 })),
    fixedRows: undefined,
  };
  const memory = { ...batchMemory(described), capacity: CAPACITY };
  return {
    columns: ['a', 'b'],
    inputColumns: described.columns,
    inputWidths: [1, 1],
    memory,
    async run(from, count) {
      return Object.values(memory.feeds(from, count)).map(({ data }) => {
        const cells = Array.from(data as ArrayLike<string | number>, String);
        if (cells.includes(DEADLY)) crash();
        return { width: 1, data: cells };
      });
    },
    works: async () => true,
    async close() {},
  };
}
