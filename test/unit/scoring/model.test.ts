import { afterEach, describe, expect, test } from 'vitest';
import { loadModel, type LoadedModel } from '../../../shared/scoring/onnx/model.ts';
import type { Signature } from '../../../shared/scoring/mlmodel.ts';
import { onnxModel, type ElementType, type Graph } from './onnx-graph.ts';
import { inputsNamed, scoreText } from './score-text.ts';

const loaded: LoadedModel[] = [];
afterEach(async () => {
  await Promise.all(loaded.splice(0).map((model) => model.close()));
});
async function load(graph: Graph, signature?: Signature): Promise<LoadedModel> {
  const model = await loadModel(onnxModel(graph), signature);
  loaded.push(model);
  return model;
}

const identity = (type: ElementType, shape: (number | string)[], output = shape): Graph => ({
  nodes: [{ op: 'Identity', in: ['x'], out: ['y'] }],
  inputs: [{ name: 'x', type, shape }],
  outputs: [{ name: 'y', type, shape: output }],
});

/** A linear classifier as skl2onnx writes it with its default options: probabilities are a list of maps. */
const zipMap = (alsoLabel: boolean): Graph => ({
  nodes: [
    {
      op: 'LinearClassifier',
      domain: 'ai.onnx.ml',
      in: ['x'],
      out: ['label', 'scores'],
      attributes: {
        coefficients: { floats: [1, 0, 0, 1] },
        intercepts: { floats: [0, 0] },
        classlabels_ints: [3, 5],
        post_transform: 'NONE',
      },
    },
    { op: 'ZipMap', domain: 'ai.onnx.ml', in: ['scores'], out: ['maps'], attributes: { classlabels_int64s: [3, 5] } },
  ],
  inputs: [{ name: 'x', type: 'float32', shape: ['N', 2] }],
  outputs: [...(alsoLabel ? [{ name: 'label', type: 'int64' as const, shape: ['N'] }] : []), 'maps'],
});

describe('prediction columns', () => {
  test('one is named as its output, several are numbered', async () => {
    expect((await load(identity('float32', ['N', 1]))).columns).toEqual(['y']);
    expect((await load(identity('float32', ['N', 3]))).columns).toEqual(['y_0', 'y_1', 'y_2']);
    expect((await load(identity('float32', ['N']))).columns).toEqual(['y']);
    expect((await load(identity('float32', ['N', 2, 2]))).columns).toEqual(['y_0', 'y_1', 'y_2', 'y_3']);
  });

  test('that the graph does not declare come from a trial run', async () => {
    expect((await load(identity('float32', ['N', 2], ['N', 'C']))).columns).toEqual(['y_0', 'y_1']);
  });

  test('come from the declaration when the model refuses the trial run', async () => {
    const gather: Graph = {
      nodes: [
        { op: 'Sub', in: ['i', 'one'], out: ['below'] },
        { op: 'Cast', in: ['below'], out: ['index'], attributes: { to: 7 } },
        { op: 'Add', in: ['index', 'index'], out: ['twice'] },
        { op: 'Gather', in: ['table', 'twice'], out: ['y'] },
      ],
      inputs: [{ name: 'i', type: 'float32', shape: ['N', 1] }],
      outputs: [{ name: 'y', type: 'float32', shape: ['N', 1] }],
      constants: { table: { dims: [1], data: [42] }, one: { dims: [1], data: [1] } },
    };
    expect((await load(gather)).columns).toEqual(['y']);
    expect((await scoreText('i\n1\n2\n', { graph: gather })).lines).toEqual(['f,0,42']);
  });

  test('leave out lists of maps when there is a tensor', async () => {
    expect((await load(zipMap(true))).columns).toEqual(['label']);
    expect((await scoreText('a,b\n1,2\n2,1\n', { graph: zipMap(true) })).lines).toEqual(['f,0,5', 'f,1,3']);
  });
});

describe('a model is refused', () => {
  test.each<[string, Graph, Signature | undefined, RegExp]>([
    ['that gives only lists of maps', zipMap(false), undefined, /Convert classifiers with zipmap=False/],
    ['of float16', identity('float16', ['N', 2]), undefined, /Input 'x' has type float16; supported are float32/],
    ['of unknown width', identity('float32', ['N', 'F']), undefined, /does not say how many columns it takes/],
    ['of a scalar', identity('float32', []), undefined, /Input 'x' is a scalar/],
    [
      'whose signature has another number of columns',
      identity('float32', ['N', 3]),
      inputsNamed('a', 'b'),
      /^The signature names 2 input columns, but the ONNX model takes 3\.$/,
    ],
    [
      'whose output does not follow the records',
      {
        nodes: [{ op: 'ReduceMean', in: ['x'], out: ['y'] }],
        inputs: [{ name: 'x', type: 'float32', shape: ['N', 2] }],
        outputs: [{ name: 'y', type: 'float32', shape: [1, 1] }],
      },
      undefined,
      /Output 'y' has shape \[1, 1\] for 2 records/,
    ],
  ])('%s', async (_, graph, signature, message) => {
    const loading = load(graph, signature);
    await expect(loading).rejects.toMatchObject({ name: 'ModelFault' });
    await expect(loading).rejects.toThrow(message);
  });
});

test('a matrix of unknown width is as wide as the signature says', async () => {
  const graph = identity('float32', ['N', 'F']);
  const { lines } = await scoreText('b,a\n2,1\n', { graph, signature: inputsNamed('a', 'b') });
  expect(lines).toEqual(['f,0,1,2']);
});

test('several matrices take their columns one after another', async () => {
  const graph: Graph = {
    nodes: [
      { op: 'Identity', in: ['numbers'], out: ['n'] },
      { op: 'Identity', in: ['words'], out: ['w'] },
    ],
    inputs: [
      { name: 'numbers', type: 'float32', shape: ['N', 2] },
      { name: 'words', type: 'string', shape: ['N', 2] },
    ],
    outputs: [
      { name: 'n', type: 'float32', shape: ['N', 2] },
      { name: 'w', type: 'string', shape: ['N', 2] },
    ],
  };
  const { lines } = await scoreText('d,c,b,a\nv,u,2,1\nx,w,4,3\n', {
    graph,
    signature: inputsNamed('a', 'b', 'c', 'd'),
  });
  expect(lines).toEqual(['f,0,1,2,u,v', 'f,1,3,4,w,x']);
});
