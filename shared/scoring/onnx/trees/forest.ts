import { kernel } from '../../../formats/kernel.ts';
import { nextBelow } from './neighbours.ts';
import type { Ensemble } from './ensemble.ts';
import { levelsOf } from './levels.ts';
import { WALK } from './walk-bytes.ts';

/** An ensemble laid out in the memory of walk.wat. */
export interface Forest {
  /** The totals of the first `count` records of `features`, record after record. */
  totals(features: Float32Array, count: number): Float32Array<ArrayBuffer>;
}

const NODE = 16;
const TREE = 8;
const WORD = 4;

/** Records that go through all trees together: their features stay in the processor's second cache. */
const MOST_RECORDS = 512;
const FEATURE_BYTES = 64 * 1024;

/** Lays out an ensemble over records of `width` features. */
export function plant({ roots, strict, targets }: Ensemble, width: number): Forest {
  const trees = roots.map((root) => levelsOf(root));
  const nodes = trees.reduce((sum, levels) => sum + levels.flat().length, 0);
  const recordBytes = width * WORD;
  const block = Math.max(4, Math.min(MOST_RECORDS, Math.floor(FEATURE_BYTES / recordBytes) & ~3));

  const nodesAt = roots.length * TREE;
  const weightsAt = nodesAt + nodes * NODE;
  const recordsAt = weightsAt + nodes * targets * WORD;
  const totalsAt = recordsAt + block * recordBytes;
  const { memory, call } = kernel(WALK, 'walk', totalsAt + block * targets * WORD);

  const integers = new Int32Array(memory);
  const floats = new Float32Array(memory);
  let nextNode = nodesAt;
  let nextWeights = weightsAt;
  for (const [tree, levels] of trees.entries()) {
    integers.set([nextNode, Math.max(1, levels.length - 1)], (tree * TREE) / WORD);
    let nextChildren = nextNode + NODE;
    for (const node of levels.flat()) {
      const at = nextNode / WORD;
      if ('weights' in node) {
        floats[at] = Number.NaN;
        integers.set([0, nextNode, nextWeights], at + 1);
        floats.set(node.weights, nextWeights / WORD);
        nextWeights += targets * WORD;
      } else {
        floats[at] = strict ? nextBelow(node.threshold) : node.threshold;
        integers.set([node.feature * WORD, nextChildren, 0], at + 1);
        nextChildren += 2 * NODE;
      }
      nextNode += NODE;
    }
  }

  const records = floats.subarray(recordsAt / WORD, totalsAt / WORD);
  const sums = floats.subarray(totalsAt / WORD, totalsAt / WORD + block * targets);
  return {
    totals(features, count) {
      const totals = new Float32Array(count * targets);
      for (let from = 0; from < count; from += block) {
        const some = Math.min(block, count - from);
        records.set(features.subarray(from * width, (from + some) * width));
        sums.fill(0);
        // The last ones are not worth a loop of their own: what lies behind them is scored, too, and not looked at.
        const padded = (some + 3) & ~3;
        call(0, nodesAt, recordsAt, padded, recordBytes, totalsAt, targets);
        totals.set(sums.subarray(0, some * targets), from * targets);
      }
      return totals;
    },
  };
}
