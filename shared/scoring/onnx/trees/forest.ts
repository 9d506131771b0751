import { kernel } from '../../../formats/kernel.ts';
import { nextAbove, nextBelow } from './neighbours.ts';
import type { Branch, Ensemble } from './ensemble.ts';
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
  // A second copy of a record's features, negated, is for those nodes to which a missing one says yes.
  const negated = trees.flat(2).some((node) => 'missing' in node && node.missing === 'yes');
  const recordWords = negated ? 2 * width : width;
  const recordBytes = recordWords * WORD;
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
        const { feature, threshold } = walked(node, strict, width);
        floats[at] = threshold;
        integers.set([feature * WORD, nextChildren, 0], at + 1);
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
        const given = features.subarray(from * width, (from + some) * width);
        if (negated) setNegated(records, given, width);
        else records.set(given);
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

/**
 * The comparison that walk.wat makes for a branch: at most, which no missing feature is. Where such a one says yes, the question is
 * turned round: `x > t` is `-x <= -(the next above t)`, and its "yes" leads to the branch's "no", which lies first for such a node.
 */
function walked(
  { feature, threshold, missing }: Branch,
  strict: boolean,
  width: number,
): { readonly feature: number; readonly threshold: number } {
  if (missing === 'no') return { feature, threshold: strict ? nextBelow(threshold) : threshold };
  return { feature: width + feature, threshold: -(strict ? threshold : nextAbove(threshold)) };
}

/** Each record of `given` and its negative. */
function setNegated(records: Float32Array, given: Float32Array, width: number): void {
  for (let from = 0, to = 0; from < given.length; to += width) {
    for (const end = from + width; from < end; from++, to++) {
      const value = given[from] as number;
      records[to] = value;
      records[to + width] = -value;
    }
  }
}
