/** Makes shapes/ and data/: `node examples/image-classification/make.ts`. A second run writes the same bytes. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import sharp from 'sharp';
import { onnxModel, type Graph } from '../../test/unit/scoring/onnx-graph.ts';
import { draw, random, SHAPES } from './draw.ts';

const FOLDER = import.meta.dirname;
const SIDE = 32;
const DIRECTIONS = 8;
const TRAINED_ON = 300;
const HELD_OUT = 300;
const PICTURES = 12;

const SOBEL = [-1, 0, 1, -2, 0, 2, -1, 0, 1];
const ACROSS = [-1, -2, -1, 0, 0, 0, 1, 2, 1];

/** Constructed: edges of 8 directions, how much of the picture's edges goes in each. */
const features: Pick<Graph, 'nodes' | 'inputs' | 'constants'> = {
  inputs: [{ name: 'pixels', type: 'float32', shape: [1, 1, SIDE, SIDE] }],
  constants: {
    filters: {
      dims: [DIRECTIONS, 1, 3, 3],
      data: Array.from({ length: DIRECTIONS }, (_, direction) => {
        const angle = (2 * Math.PI * direction) / DIRECTIONS;
        return SOBEL.map((value, at) => Math.cos(angle) * value + Math.sin(angle) * (ACROSS[at] ?? 0));
      }).flat(),
    },
  },
  nodes: [
    { op: 'Conv', in: ['pixels', 'filters'], out: ['edges'] },
    { op: 'Relu', in: ['edges'], out: ['bright'] },
    // Edges of neighbouring directions are there too: the fourth power makes them weak.
    { op: 'Mul', in: ['bright', 'bright'], out: ['squared'] },
    { op: 'Mul', in: ['squared', 'squared'], out: ['sharp'] },
    { op: 'GlobalAveragePool', in: ['sharp'], out: ['pooled'] },
    { op: 'Flatten', in: ['pooled'], out: ['directions'] },
    { op: 'ReduceMean', in: ['directions'], out: ['all'], attributes: { axes: [1] } },
    { op: 'Div', in: ['directions', 'all'], out: ['features'] },
  ],
};

interface Example {
  readonly shape: number;
  readonly features: readonly number[];
}

async function examples(count: number, seed: number): Promise<Example[]> {
  const graph: Graph = { ...features, outputs: [{ name: 'features', type: 'float32', shape: [1, DIRECTIONS] }] };
  const session = await InferenceSession.create(onnxModel(graph));
  const next = random(seed);
  const made: Example[] = [];
  for (let i = 0; i < count; i++) {
    const shape = i % SHAPES.length;
    const picture = await draw(SHAPES[shape] ?? 'circle', next);
    const grey = await sharp(picture).resize(SIDE, SIDE, { fit: 'fill' }).greyscale().raw().toBuffer();
    const pixels = new Tensor(
      'float32',
      Float32Array.from(grey, (value) => value / 255),
      [1, 1, SIDE, SIDE],
    );
    const { features: found } = await session.run({ pixels });
    made.push({ shape, features: Array.from(found?.data ?? [], Number) });
  }
  return made;
}

/** Learned: softmax regression by gradient descent. A row of weights for each shape; the last weight is the bias. */
function learn(from: readonly Example[]): number[][] {
  let weights = SHAPES.map(() => Array<number>(DIRECTIONS + 1).fill(0));
  for (let step = 0; step < 3000; step++) {
    const errors = from.map(({ shape, features: found }) => ({
      values: [...found, 1],
      of: probabilities(weights, found).map((probability, at) => probability - (at === shape ? 1 : 0)),
    }));
    weights = weights.map((row, at) =>
      row.map((weight, k) => {
        const slope = errors.reduce((sum, { values, of }) => sum + (of[at] ?? 0) * (values[k] ?? 0), 0);
        return weight - slope / from.length;
      }),
    );
  }
  return weights;
}

function probabilities(weights: readonly number[][], found: readonly number[]): number[] {
  const powers = weights.map((row) =>
    Math.exp([...found, 1].reduce((sum, value, k) => sum + value * (row[k] ?? 0), 0)),
  );
  const sum = powers.reduce((a, b) => a + b);
  return powers.map((power) => power / sum);
}

const weights = learn(await examples(TRAINED_ON, 1));
const right = (await examples(HELD_OUT, 2)).filter(({ shape, features: found }) => {
  const all = probabilities(weights, found);
  return all.indexOf(Math.max(...all)) === shape;
});
console.log(`${right.length} of ${HELD_OUT} held-out pictures are right.`);

const model = onnxModel({
  ...features,
  constants: {
    ...features.constants,
    weights: { dims: [SHAPES.length, DIRECTIONS], data: weights.flatMap((row) => row.slice(0, -1)) },
    bias: { dims: [SHAPES.length], data: weights.map((row) => row.at(-1) ?? 0) },
  },
  nodes: [
    ...features.nodes,
    { op: 'Gemm', in: ['features', 'weights', 'bias'], out: ['scores'], attributes: { transB: 1 } },
    { op: 'Softmax', in: ['scores'], out: ['probabilities'] },
  ],
  outputs: [{ name: 'probabilities', type: 'float32', shape: [1, SHAPES.length] }],
});
await writeFile(join(FOLDER, 'shapes/model.onnx'), model);
await writeFile(join(FOLDER, 'shapes/labels.txt'), `${SHAPES.join('\n')}\n`);

const next = random(3);
const truth: string[] = [];
for (let i = 1; i <= PICTURES; i++) {
  const shape = SHAPES[Math.floor(next() * SHAPES.length)] ?? 'circle';
  const name = `picture-${String(i).padStart(2, '0')}.png`;
  await writeFile(join(FOLDER, 'data', name), await draw(shape, next));
  truth.push(`${name},${shape}`);
}
await writeFile(join(FOLDER, 'labels.csv'), `file,label\n${truth.join('\n')}\n`);
