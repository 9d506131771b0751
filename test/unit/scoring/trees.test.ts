import { readFile } from 'node:fs/promises';
import fc from 'fast-check';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { describe, expect, test } from 'vitest';
import { loadModel } from '../../../shared/scoring/onnx/model.ts';
import { ownTrees } from '../../../shared/scoring/onnx/trees/own-trees.ts';
import { onnxModel } from './onnx-graph.ts';
import { ensembleGraph, type GivenEnsemble, type GivenTree } from './tree-graph.ts';

const WIDTH = 4;
const FOREST = new URL('../../../bench/models/trees/model.onnx', import.meta.url);

const oneThread = { intraOpNumThreads: 1, interOpNumThreads: 1, logSeverityLevel: 4 } as const;
const sessionOf = (model: Uint8Array): Promise<InferenceSession> => InferenceSession.create(model, oneThread);
const load = (given: GivenEnsemble): Promise<{ model: Uint8Array; session: InferenceSession }> =>
  loadBytes(onnxModel(ensembleGraph(given)));
async function loadBytes(model: Uint8Array): Promise<{ model: Uint8Array; session: InferenceSession }> {
  return { model, session: await sessionOf(model) };
}

/** What ONNX Runtime and our own trees say of the same records, by output. Fails when the trees are not taken. */
async function answers(
  { model, session }: { model: Uint8Array; session: InferenceSession },
  records: readonly (readonly number[])[],
): Promise<{ ours: Record<string, unknown>; theirs: Record<string, unknown> }> {
  const own = await ownTrees(model, session);
  if (!own) throw new Error('ONNX Runtime runs these trees.');
  const [name = ''] = session.inputNames;
  const width = records[0]?.length ?? 0;
  const feeds = { [name]: new Tensor('float32', Float32Array.from(records.flat()), [records.length, width]) };
  const plain = (results: Readonly<Record<string, Tensor>>): Record<string, unknown> =>
    Object.fromEntries(
      session.outputNames.map((output) => {
        const { type, dims, data } = results[output] as Tensor;
        return [output, { type, dims: [...dims], data: [...data] }];
      }),
    );
  return { ours: plain(await own.run(feeds, session.outputNames)), theirs: plain(await session.run(feeds)) };
}

/** Numbers at which comparisons turn. */
const threshold = fc.constantFrom(
  0,
  -0,
  0.5,
  -0.5,
  1,
  2 ** -149,
  -(2 ** -149),
  3.4028234663852886e38,
  Infinity,
  -Infinity,
);
const feature = fc.oneof(threshold, fc.constant(NaN), fc.float({ noNaN: true }));
const record = fc.array(feature, { minLength: WIDTH, maxLength: WIDTH });
// Some counts are no multiple of four, some need more than one block.
const records = fc
  .tuple(fc.constantFrom(1, 3, 4, 5, 511, 514), fc.array(record, { minLength: 1, maxLength: 40 }))
  .map(([count, some]) => Array.from({ length: count }, (_, index) => some[index % some.length] ?? []));

/** Trees of any shape that is worth it: a path is at most so much longer than another. */
function treeOf(weights: fc.Arbitrary<number[]>): fc.Arbitrary<GivenTree> {
  return fc.letrec<{ tree: GivenTree; leaf: GivenTree }>((tie) => ({
    leaf: weights.map((leaf) => ({ leaf })),
    tree: fc.oneof(
      { maxDepth: 3, depthIdentifier: 'tree' },
      tie('leaf'),
      fc.record(
        { feature: fc.nat(WIDTH - 1), threshold, yes: tie('tree'), no: tie('tree') },
        { noNullPrototype: true },
      ),
    ),
  })).tree;
}

function ensembleOf(
  kind: GivenEnsemble['kind'],
  targets: number,
  weight: fc.Arbitrary<number>,
): fc.Arbitrary<GivenEnsemble> {
  const weights = fc.array(weight, { minLength: targets, maxLength: targets });
  return fc.record(
    {
      kind: fc.constant(kind),
      width: fc.constant(WIDTH),
      trees: fc.array(treeOf(weights), { minLength: 1, maxLength: 6 }),
      mode: fc.constantFrom('BRANCH_LEQ', 'BRANCH_LT'),
      bases:
        kind === 'values'
          ? fc.constantFrom(
              [],
              Array.from({ length: targets }, (_, i) => i + 0.1),
            )
          : fc.constant([]),
      texts: fc.boolean(),
    },
    { noNullPrototype: true },
  );
}

const anyWeight = fc.float({ min: -100, max: 100, noNaN: true });
const positive = fc.float({ min: 0, max: 1, noNaN: true });
const shapes: Record<string, fc.Arbitrary<GivenEnsemble>> = {
  'a regressor': ensembleOf('values', 1, anyWeight),
  'a regressor of three targets': ensembleOf('values', 3, anyWeight),
  'a classifier of two classes': ensembleOf('binary', 1, positive),
  'a classifier of four classes': ensembleOf('classes', 4, anyWeight),
};

describe('our own trees', () => {
  test.each(Object.entries(shapes))('answer as ONNX Runtime does, to the last bit: %s', async (_, shape) => {
    await fc.assert(
      fc.asyncProperty(shape, records, async (given, some) => {
        // A single leaf is as even as a tree can be; a chain beside it may not be.
        const loaded = await load({ ...given, trees: [...given.trees, even(given)] });
        const { ours, theirs } = await answers(loaded, some);
        expect(ours).toEqual(theirs);
      }),
      { numRuns: 60 },
    );
  });

  test('answer for a forest of 100 trees as scikit-learn makes them', async () => {
    const some = Array.from({ length: 3000 }, (_, row) =>
      Array.from({ length: 13 }, (__, column) => Math.sin(row * 13 + column) * 3),
    );
    const { ours, theirs } = await answers(await loadBytes(await readFile(FOREST)), some);
    expect(ours).toEqual(theirs);
  });
});

/** A full tree that makes the ensemble worth it, whatever else is in it. */
function even(given: GivenEnsemble): GivenTree {
  const leaf: GivenTree = { leaf: Array.from({ length: targetsOf(given) }, (_, target) => (target + 1) / 8) };
  const full = (levels: number): GivenTree =>
    levels === 0
      ? leaf
      : { feature: levels % WIDTH, threshold: levels / 4, yes: full(levels - 1), no: full(levels - 1) };
  return full(6);
}

const targetsOf = ({ kind, trees }: GivenEnsemble): number => {
  let [node] = trees;
  while (node && !('leaf' in node)) node = node.no;
  return kind === 'binary' ? 1 : (node?.leaf.length ?? 0);
};

describe('ONNX Runtime keeps', () => {
  const leaf = (weight: number): GivenTree => ({ leaf: [weight] });
  const stump: GivenTree = { feature: 0, threshold: 0.5, yes: leaf(0.25), no: leaf(0.75) };
  const plain: GivenEnsemble = {
    kind: 'values',
    width: WIDTH,
    trees: [stump],
    mode: 'BRANCH_LEQ',
    bases: [],
    texts: false,
  };
  const chain = (length: number): GivenTree =>
    length === 0 ? leaf(1) : { feature: 0, threshold: length, yes: leaf(0), no: chain(length - 1) };
  const graph = ensembleGraph(plain);
  const [node] = graph.nodes;
  const withAttribute = (name: string, value: string | readonly number[]) => ({
    ...graph,
    nodes: [{ ...node, op: node?.op ?? '', in: ['x'], out: ['y'], attributes: { ...node?.attributes, [name]: value } }],
  });
  /** The trees' output goes through these. */
  const behind = (...operators: readonly string[]) => ({
    ...graph,
    nodes: [
      { ...node, op: node?.op ?? '', in: ['x'], out: ['z0'] },
      ...operators.map((op, index) => ({
        op,
        in: [`z${index}`],
        out: [index + 1 < operators.length ? `z${index + 1}` : 'y'],
      })),
    ],
  });
  test.each([
    ['one', behind('Identity')],
    ['two', behind('Identity', 'Identity')],
  ])('not trees with %s Identity behind them', async (_, given) => {
    const { ours, theirs } = await answers(await loadBytes(onnxModel(given)), [
      [1, 2, 3, 4],
      [0, NaN, 0, 0],
    ]);
    expect(ours).toEqual(theirs);
  });
  const kept = {
    'another aggregate': withAttribute('aggregate_function', 'AVERAGE'),
    'a transform': withAttribute('post_transform', 'LOGISTIC'),
    'other comparisons': ensembleGraph({ ...plain, mode: 'BRANCH_GT' }),
    'two classes with negative weights': ensembleGraph({
      ...plain,
      kind: 'binary',
      trees: [{ ...stump, yes: leaf(-1) }],
    }),
    'a long path beside short ones': ensembleGraph({
      ...plain,
      trees: [chain(40), ...Array.from({ length: 40 }, () => leaf(1))],
    }),
    'a chain that would overflow the stack': ensembleGraph({ ...plain, trees: [chain(200)] }),
    'a graph of two nodes': behind('Abs'),
    'a graph of many nodes': behind('Identity', 'Identity', 'Identity'),
    'no trees at all': { ...graph, nodes: [{ op: 'Identity', in: ['x'], out: ['y'] }] },
  };

  test.each(Object.entries(kept))('%s', async (_, given) => {
    const { model, session } = await loadBytes(onnxModel(given));
    expect(await ownTrees(model, session)).toBeUndefined();
  });

  test('a graph that takes so many records at a time', async () => {
    const fixed = onnxModel({ ...graph, inputs: [{ name: 'x', type: 'float32', shape: [3, WIDTH] }] });
    const model = await loadModel(fixed, undefined);
    model.memory.values.set([0, 0, 0, 0, 1, 0, 0, 0, 0.5, 0, 0, 0]);
    expect(await model.run(0, 3)).toEqual([{ width: 1, data: Float32Array.of(0.25, 0.75, 0.25) }]);
    await model.close();
  });

  test('bytes that are no ONNX', async () => {
    const { session } = await load(plain);
    expect(await ownTrees(Buffer.from('ORTM, or anything else'), session)).toBeUndefined();
  });

  test('what differs from its answers in one bit', async () => {
    const { model, session } = await load(plain);
    expect(await ownTrees(model, session)).toBeDefined();
    const other: typeof session.run = async (feeds: Readonly<Record<string, Tensor>>) => {
      const { y } = await session.run(feeds);
      const bits = new Int32Array(Float32Array.from(y?.data ?? [], Number).buffer);
      bits[bits.length - 1] = (bits.at(-1) ?? 0) + 1;
      return { y: new Tensor('float32', new Float32Array(bits.buffer), y?.dims) };
    };
    const differing = new Proxy(session, {
      get: (target, name): unknown => (name === 'run' ? other : Reflect.get(target, name, target)),
    });
    expect(await ownTrees(model, differing)).toBeUndefined();
  });
});
