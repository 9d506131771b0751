import type { Attribute, GraphNode } from './only-node.ts';

/** A leaf brings one weight for each target. */
export type TreeNode = { readonly weights: readonly number[] } | Branch;

export interface Branch {
  readonly feature: number;
  readonly threshold: number;
  readonly yes: TreeNode;
  readonly no: TreeNode;
  /** Where a feature leads that is no number. */
  readonly missing: 'yes' | 'no';
}

/** Decision trees whose weights are added up, tree after tree. Yes is `feature <= threshold`, or `<` where `strict`. */
export interface Ensemble {
  readonly roots: readonly TreeNode[];
  readonly strict: boolean;
  /** Totals of a record. */
  readonly targets: number;
  readonly result: EnsembleResult;
}

/** What becomes of the totals. */
export type EnsembleResult =
  /** Each and its base, as they are. */
  | { readonly kind: 'values'; readonly output: string; readonly bases: readonly number[] }
  /** One total, the probability of the second class; two columns. */
  | { readonly kind: 'binary'; readonly label: string; readonly probabilities: string; readonly classes: Classes }
  /** A total for each class; the label is the first one of the largest. */
  | { readonly kind: 'classes'; readonly label: string; readonly probabilities: string; readonly classes: Classes };

/** Labels in the order of their columns. */
export type Classes =
  | { readonly type: 'int64'; readonly labels: readonly bigint[] }
  | { readonly type: 'string'; readonly labels: readonly string[] };

/** Deeper trees are seldom even, and a chain of nodes must not overflow the stack. */
const MOST_LEVELS = 64;
const MOST_NODES = 1_000_000;
const MOST_WEIGHTS = 16_000_000;

/**
 * The ensemble of a TreeEnsembleClassifier or TreeEnsembleRegressor of ai.onnx.ml; undefined for a node that is none, and for what
 * only ONNX Runtime does: other transforms than NONE, comparisons other than at most and less, leaves that do not have all targets, more than a million nodes. https://onnx.ai/onnx/operators/onnx_aionnxml_TreeEnsembleClassifier.html
 */
export function readEnsemble(node: GraphNode): Ensemble | undefined {
  const classifier = node.operator === 'ai.onnx.ml.TreeEnsembleClassifier';
  if (!classifier && node.operator !== 'ai.onnx.ml.TreeEnsembleRegressor') return undefined;
  const { attributes } = node;
  const aggregate = attributes.get('aggregate_function')?.text ?? 'SUM';
  const transform = attributes.get('post_transform')?.text ?? 'NONE';
  if (aggregate !== 'SUM' || transform !== 'NONE') return undefined;

  const weights = leafWeights(attributes, classifier ? 'class' : 'target');
  const result = classifier ? classifierResult(node, weights) : regressorResult(node);
  if (!result) return undefined;
  const targets = targetsOf(result);
  const branches = new Set(attributes.get('nodes_modes')?.texts.filter((mode) => mode !== 'LEAF'));
  const strict = branches.has('BRANCH_LT');
  if (branches.size > 1 || (!strict && branches.size === 1 && !branches.has('BRANCH_LEQ'))) return undefined;
  const roots = readTrees(attributes, weights, targets);
  return roots && { roots, strict, targets, result };
}

function targetsOf(result: EnsembleResult): number {
  if (result.kind === 'binary') return 1;
  return result.kind === 'values' ? result.bases.length : result.classes.labels.length;
}

function regressorResult({ outputs, attributes }: GraphNode): EnsembleResult | undefined {
  const [output] = outputs;
  const targets = attributes.get('n_targets')?.integer ?? 0;
  const given = attributes.get('base_values')?.floats ?? [];
  if (output === undefined || targets < 1 || (given.length !== 0 && given.length !== targets)) return undefined;
  return { kind: 'values', output, bases: Array.from({ length: targets }, (_, target) => given[target] ?? 0) };
}

/** Two classes whose leaves all speak of one are binary for ONNX Runtime; positive weights are then a probability. */
function classifierResult({ outputs, attributes }: GraphNode, weights: Weights): EnsembleResult | undefined {
  const [label, probabilities] = outputs;
  const classes = classesOf(attributes);
  if (label === undefined || probabilities === undefined || !classes) return undefined;
  if ((attributes.get('base_values')?.floats.length ?? 0) > 0) return undefined;
  if (classes.labels.length > 2) return { kind: 'classes', label, probabilities, classes };
  const binary = classes.labels.length === 2 && weights.targets.size === 1 && weights.targets.has(0);
  return binary && !weights.anyNegative ? { kind: 'binary', label, probabilities, classes } : undefined;
}

function classesOf(attributes: ReadonlyMap<string, Attribute>): Classes | undefined {
  const numbers = attributes.get('classlabels_int64s')?.integers ?? [];
  const texts = attributes.get('classlabels_strings')?.texts ?? [];
  if (texts.length > 0) return { type: 'string', labels: texts };
  return numbers.every(Number.isSafeInteger) ? { type: 'int64', labels: numbers.map(BigInt) } : undefined;
}

/** One number for a node of a tree: ids are below 2^26 in any model that is taken. */
const keyOf = (tree = -1, node = -1): number => tree * 2 ** 26 + node;

interface Weights {
  /** By `keyOf` a node, then by target. */
  readonly byLeaf: ReadonlyMap<number, ReadonlyMap<number, number>>;
  readonly targets: ReadonlySet<number>;
  readonly anyNegative: boolean;
}

function leafWeights(attributes: ReadonlyMap<string, Attribute>, prefix: 'class' | 'target'): Weights {
  const integers = (name: string): readonly number[] => attributes.get(`${prefix}_${name}`)?.integers ?? [];
  const [trees, nodes, targets] = [integers('treeids'), integers('nodeids'), integers('ids')];
  const values = attributes.get(`${prefix}_weights`)?.floats ?? [];
  const byLeaf = new Map<number, Map<number, number>>();
  for (const [index, value] of values.entries()) {
    const key = keyOf(trees[index], nodes[index]);
    const leaf = byLeaf.get(key) ?? new Map<number, number>();
    byLeaf.set(key, leaf);
    // NaN for a target that is named twice: no leaf may have it.
    leaf.set(targets[index] ?? NaN, leaf.has(targets[index] ?? NaN) ? NaN : value);
  }
  return { byLeaf, targets: new Set(targets), anyNegative: values.some((value) => value < 0) };
}

/** The trees in the order of their first nodes; undefined where nodes do not make trees, or leaves lack a weight. */
function readTrees(
  attributes: ReadonlyMap<string, Attribute>,
  { byLeaf }: Weights,
  targets: number,
): TreeNode[] | undefined {
  const integers = (name: string): readonly number[] => attributes.get(`nodes_${name}`)?.integers ?? [];
  const [trees, nodes, features] = [integers('treeids'), integers('nodeids'), integers('featureids')];
  const [yes, no] = [integers('truenodeids'), integers('falsenodeids')];
  if (nodes.length > MOST_NODES || nodes.length * targets > MOST_WEIGHTS) return undefined;
  const modes = attributes.get('nodes_modes')?.texts ?? [];
  const thresholds = attributes.get('nodes_values')?.floats ?? [];
  const missingIsYes = integers('missing_value_tracks_true');
  const places = new Map(nodes.map((id, index) => [keyOf(trees[index], id), index]));
  const open = new Set(nodes.keys());

  /** Takes each node once: one that is met again, or is missing, makes no tree. */
  function take(index: number | undefined, level = 0): TreeNode | undefined {
    if (index === undefined || level > MOST_LEVELS || !open.delete(index)) return undefined;
    const key = keyOf(trees[index], nodes[index]);
    if (modes[index] === 'LEAF') {
      const given = byLeaf.get(key);
      if (given?.size !== targets) return undefined;
      const weights = Array.from({ length: targets }, (_, target) => given.get(target) ?? NaN);
      return weights.some(Number.isNaN) ? undefined : { weights };
    }
    const [feature, threshold] = [features[index], thresholds[index]];
    const yesNode = take(places.get(keyOf(trees[index], yes[index])), level + 1);
    const noNode = yesNode && take(places.get(keyOf(trees[index], no[index])), level + 1);
    if (!noNode || feature === undefined || threshold === undefined || Number.isNaN(threshold)) return undefined;
    return { feature, threshold, yes: yesNode, no: noNode, missing: missingIsYes[index] ? 'yes' : 'no' };
  }

  const children = new Set(nodes.flatMap((_, index) => childrenOf(index)));
  function childrenOf(index: number): number[] {
    if (modes[index] === 'LEAF') return [];
    return [keyOf(trees[index], yes[index]), keyOf(trees[index], no[index])];
  }
  const roots: TreeNode[] = [];
  for (const [index, id] of nodes.entries()) {
    if (children.has(keyOf(trees[index], id))) continue;
    const root = take(index);
    if (!root) return undefined;
    roots.push(root);
  }
  // Nodes that nobody reaches go round in circles.
  return roots.length > 0 && open.size === 0 ? roots : undefined;
}
