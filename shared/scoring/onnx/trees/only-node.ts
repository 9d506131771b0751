import { PbfReader } from 'pbf';

/** A node of an ONNX graph; what an attribute does not have is empty. */
export interface GraphNode {
  readonly operator: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes: ReadonlyMap<string, Attribute>;
}

export interface Attribute {
  readonly integer: number;
  readonly text: string;
  readonly floats: readonly number[];
  readonly integers: readonly number[];
  readonly texts: readonly string[];
}

/**
 * The node of a graph that has one, but for Identity nodes behind it, as converters add them to rename outputs; its outputs then have
 * their last names. Undefined for all other graphs, and for bytes that are no ONNX: ONNX Runtime reads a format of its own, too.
 * Integers beyond 2^53 lose digits. Field numbers are those of https://github.com/onnx/onnx/blob/main/onnx/onnx.proto.
 */
export function onlyNode(model: Uint8Array): GraphNode | undefined {
  try {
    return readModel(model);
  } catch {
    return undefined;
  }
}

/** ModelProto */
function readModel(model: Uint8Array): GraphNode | undefined {
  const nodes: Uint8Array[] = [];
  new PbfReader(model).readFields((field, _, reader) => {
    if (field === 7) reader.readMessage(collectNodes, nodes);
  }, undefined);
  const [only, ...others] = nodes.length > MOST_NODES ? [] : nodes.map((bytes) => readNode(bytes));
  if (!only) return undefined;
  // Nodes come in the order in which they run.
  return others.reduce<GraphNode | undefined>((node, other) => node && renamed(node, other), only);
}

/** More than a classifier with an Identity for each output has. */
const MOST_NODES = 3;

/** GraphProto.node. One too many tells that there are others. */
function collectNodes(field: number, nodes: Uint8Array[], reader: PbfReader): void {
  if (field === 1 && nodes.length <= MOST_NODES) nodes.push(reader.readBytes());
}

function renamed(node: GraphNode, { operator, inputs: [from], outputs: [to] }: GraphNode): GraphNode | undefined {
  if (operator !== 'Identity' || from === undefined || to === undefined || !node.outputs.includes(from))
    return undefined;
  return { ...node, outputs: node.outputs.map((output) => (output === from ? to : output)) };
}

/** NodeProto */
function readNode(bytes: Uint8Array): GraphNode {
  const inputs: string[] = [];
  const outputs: string[] = [];
  const attributes = new Map<string, Attribute>();
  let operator = '';
  let domain = '';
  new PbfReader(bytes).readFields((field, _, reader) => {
    if (field === 1) inputs.push(reader.readString());
    else if (field === 2) outputs.push(reader.readString());
    else if (field === 4) operator = reader.readString();
    else if (field === 5) {
      const { name, attribute } = readAttribute(reader.readBytes());
      attributes.set(name, attribute);
    } else if (field === 7) domain = reader.readString();
  }, undefined);
  return { operator: domain === '' ? operator : `${domain}.${operator}`, inputs, outputs, attributes };
}

/** AttributeProto */
function readAttribute(bytes: Uint8Array): { name: string; attribute: Attribute } {
  const read = { integer: 0, text: '', floats: [] as number[], integers: [] as number[], texts: [] as string[] };
  let name = '';
  new PbfReader(bytes).readFields((field, _, reader) => {
    if (field === 1) name = reader.readString();
    else if (field === 3) read.integer = reader.readVarint(true);
    else if (field === 4) read.text = reader.readString();
    else if (field === 7) reader.readPackedFloat(read.floats);
    else if (field === 8) reader.readPackedVarint(read.integers, true);
    else if (field === 9) read.texts.push(reader.readString());
  }, undefined);
  return { name, attribute: read };
}
