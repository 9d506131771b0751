import { Tensor } from 'onnxruntime-node';
import type { Classes, Ensemble } from './ensemble.ts';

/** The outputs of an ensemble for `count` records, by name, as ONNX Runtime gives them; takes the totals over. */
export function treeResults(
  { result, targets }: Ensemble,
  totals: Float32Array<ArrayBuffer>,
  count: number,
): Record<string, Tensor> {
  if (result.kind === 'values') {
    const { bases, output } = result;
    if (bases.some((base) => base !== 0))
      for (let at = 0; at < totals.length; at++) totals[at] = (totals[at] ?? 0) + (bases[at % targets] ?? 0);
    return { [output]: new Tensor('float32', totals, [count, targets]) };
  }
  const { label, probabilities, classes } = result;
  const winners = new Uint32Array(count);
  let scores = totals;
  if (result.kind === 'binary') {
    scores = new Float32Array(2 * count);
    for (let record = 0; record < count; record++) {
      const second = totals[record] ?? 0;
      scores[2 * record] = 1 - second;
      scores[2 * record + 1] = second;
      winners[record] = second > 0.5 ? 1 : 0;
    }
  } else {
    for (let record = 0; record < count; record++) winners[record] = largest(totals, record * targets, targets);
  }
  return {
    [label]: labelsOf(classes, winners),
    [probabilities]: new Tensor('float32', scores, [count, classes.labels.length]),
  };
}

/** Place of the first one of the largest of `count` values. */
function largest(values: Float32Array, from: number, count: number): number {
  let best = 0;
  for (let place = 1; place < count; place++)
    if ((values[from + place] ?? 0) > (values[from + best] ?? 0)) best = place;
  return best;
}

function labelsOf(classes: Classes, winners: Uint32Array): Tensor {
  const dims = [winners.length];
  if (classes.type === 'string') {
    const texts = Array.from(winners, (winner) => classes.labels[winner] ?? '');
    return new Tensor('string', texts, dims);
  }
  // By halves: a bigint for each record would take longer than a tree.
  const halves = new Int32Array(BigInt64Array.from(classes.labels).buffer);
  const labels = new BigInt64Array(winners.length);
  const words = new Int32Array(labels.buffer);
  for (let record = 0; record < winners.length; record++) {
    const winner = winners[record] as number;
    words[2 * record] = halves[2 * winner] as number;
    words[2 * record + 1] = halves[2 * winner + 1] as number;
  }
  return new Tensor('int64', labels, dims);
}
