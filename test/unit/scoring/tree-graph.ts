import type { Graph, Node } from './onnx-graph.ts';

/** A leaf has a weight for each target. */
export type GivenTree =
  | { readonly leaf: readonly number[] }
  | {
      readonly feature: number;
      readonly threshold: number;
      readonly yes: GivenTree;
      readonly no: GivenTree;
      /** Whether a missing feature leads to yes. */
      readonly missing?: boolean;
    };

export interface GivenEnsemble {
  readonly kind: 'values' | 'binary' | 'classes';
  readonly width: number;
  readonly trees: readonly GivenTree[];
  readonly mode: string;
  /** Of a regressor's targets; none when empty. */
  readonly bases: readonly number[];
  /** Whether labels are texts. */
  readonly texts: boolean;
}

/** A graph of one TreeEnsembleRegressor or -Classifier over the input `x`, as converters write it. */
export function ensembleGraph(given: GivenEnsemble): Graph {
  const { kind, width, texts, bases } = given;
  const { nodes, leaves, targets } = listed(given);
  const x = { name: 'x', type: 'float32' as const, shape: ['N', width] };
  const prefix = kind === 'values' ? 'target' : 'class';
  const attributes: NonNullable<Node['attributes']> = {
    nodes_treeids: nodes.map(({ tree }) => tree),
    nodes_nodeids: nodes.map(({ id }) => id),
    nodes_featureids: nodes.map(({ feature }) => feature),
    nodes_values: { floats: nodes.map(({ threshold }) => threshold) },
    nodes_modes: nodes.map(({ mode }) => mode),
    nodes_truenodeids: nodes.map(({ yes }) => yes),
    nodes_falsenodeids: nodes.map(({ no }) => no),
    ...(nodes.some(({ missing }) => missing) && {
      nodes_missing_value_tracks_true: nodes.map(({ missing }) => (missing ? 1 : 0)),
    }),
    [`${prefix}_treeids`]: leaves.map(({ tree }) => tree),
    [`${prefix}_nodeids`]: leaves.map(({ id }) => id),
    [`${prefix}_ids`]: leaves.map(({ target }) => target),
    [`${prefix}_weights`]: { floats: leaves.map(({ weight }) => weight) },
    ...(bases.length > 0 && { base_values: { floats: bases } }),
  };
  const node = { in: ['x'], domain: 'ai.onnx.ml' };
  if (kind === 'values') {
    return {
      nodes: [{ ...node, op: 'TreeEnsembleRegressor', out: ['y'], attributes: { ...attributes, n_targets: targets } }],
      inputs: [x],
      outputs: [{ name: 'y', type: 'float32', shape: ['N', targets] }],
    };
  }
  const classes = Array.from({ length: kind === 'binary' ? 2 : targets }, (_, index) => index * 10);
  const labels = texts
    ? { classlabels_strings: classes.map((label) => `class ${label}`) }
    : { classlabels_int64s: classes };
  return {
    nodes: [{ ...node, op: 'TreeEnsembleClassifier', out: ['label', 'p'], attributes: { ...attributes, ...labels } }],
    inputs: [x],
    outputs: [
      { name: 'label', type: texts ? 'string' : 'int64', shape: ['N'] },
      { name: 'p', type: 'float32', shape: ['N', classes.length] },
    ],
  };
}

interface Listed {
  readonly tree: number;
  readonly id: number;
  readonly feature: number;
  readonly threshold: number;
  readonly mode: string;
  readonly missing: boolean;
  yes: number;
  no: number;
}

function listed({ trees, mode }: GivenEnsemble) {
  const nodes: Listed[] = [];
  const leaves: { tree: number; id: number; target: number; weight: number }[] = [];
  let targets = 0;
  for (const [tree, root] of trees.entries()) {
    let next = 0;
    const add = (given: GivenTree): number => {
      const id = next++;
      if ('leaf' in given) {
        targets = given.leaf.length;
        nodes.push({ tree, id, feature: 0, threshold: 0, mode: 'LEAF', missing: false, yes: 0, no: 0 });
        leaves.push(...given.leaf.map((weight, target) => ({ tree, id, target, weight })));
      } else {
        const { feature, threshold, missing = false } = given;
        const node: Listed = { tree, id, feature, threshold, mode, missing, yes: 0, no: 0 };
        nodes.push(node);
        node.yes = add(given.yes);
        node.no = add(given.no);
      }
      return id;
    };
    add(root);
  }
  return { nodes, leaves, targets };
}
