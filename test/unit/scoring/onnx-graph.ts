/**
 * Writes small ONNX models (protobuf, onnx.proto3 field numbers), so that each test shows the graph that it needs.
 */

export type ElementType = 'float32' | 'int32' | 'int64' | 'string' | 'bool' | 'float16' | 'float64';
type Dim = number | string;
type AttributeValue = number | string | readonly number[] | readonly string[] | { readonly floats: readonly number[] };

export interface Value {
  readonly name: string;
  readonly type: ElementType;
  readonly shape: readonly Dim[];
}
export interface Node {
  readonly op: string;
  readonly in: readonly string[];
  readonly out: readonly string[];
  readonly domain?: string;
  readonly attributes?: Readonly<Record<string, AttributeValue>>;
}
export interface Graph {
  readonly nodes: readonly Node[];
  readonly inputs: readonly Value[];
  /** A string is the name of an output that is a list of maps, as ZipMap gives. */
  readonly outputs: readonly (Value | string)[];
  /** Float32 constants. */
  readonly constants?: Readonly<Record<string, { readonly dims: readonly number[]; readonly data: readonly number[] }>>;
}

const ELEMENT_TYPES: Readonly<Record<ElementType, number>> = {
  float32: 1,
  int32: 6,
  int64: 7,
  string: 8,
  bool: 9,
  float16: 10,
  float64: 11,
};

export function onnxModel(graph: Graph): Uint8Array {
  return Buffer.concat([
    integer(1, 8),
    message(7, [
      ...graph.nodes.map((node) => message(1, nodeFields(node))),
      text(2, 'graph'),
      ...Object.entries(graph.constants ?? {}).map(([name, { dims, data }]) =>
        message(5, [
          ...dims.map((dim) => integer(1, dim)),
          integer(2, 1),
          ...data.map((value) => float(4, value)),
          text(8, name),
        ]),
      ),
      ...graph.inputs.map((value) => message(11, valueFields(value))),
      ...graph.outputs.map((value) => message(12, typeof value === 'string' ? mapsFields(value) : valueFields(value))),
    ]),
    message(8, [text(1, ''), integer(2, 17)]),
    message(8, [text(1, 'ai.onnx.ml'), integer(2, 3)]),
  ]);
}

function nodeFields({ op, in: inputs, out, domain, attributes }: Node): Buffer[] {
  return [
    ...inputs.map((name) => text(1, name)),
    ...out.map((name) => text(2, name)),
    text(4, op),
    ...Object.entries(attributes ?? {}).map(([name, value]) => message(5, [text(1, name), ...attributeFields(value)])),
    text(7, domain ?? ''),
  ];
}

function attributeFields(value: AttributeValue): Buffer[] {
  if (typeof value === 'number') return [integer(3, value), integer(20, 2)];
  if (typeof value === 'string') return [text(4, value), integer(20, 3)];
  if ('floats' in value) return [...value.floats.map((item) => float(7, item)), integer(20, 6)];
  if (value.every((item) => typeof item === 'string')) return [...value.map((item) => text(9, item)), integer(20, 8)];
  return [...value.map((item) => integer(8, item)), integer(20, 7)];
}

function valueFields({ name, type, shape }: Value): Buffer[] {
  const dims = shape.map((dim) => message(1, [typeof dim === 'number' ? integer(1, dim) : text(2, dim)]));
  return [text(1, name), message(2, [message(1, [integer(1, ELEMENT_TYPES[type]), message(2, dims)])])];
}

/** sequence(map(int64, tensor(float))) */
function mapsFields(name: string): Buffer[] {
  const float = message(2, [message(1, [integer(1, ELEMENT_TYPES.float32)])]);
  const map = message(1, [message(5, [integer(1, ELEMENT_TYPES.int64), float])]);
  return [text(1, name), message(2, [message(4, [map])])];
}

function varint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = BigInt.asUintN(64, BigInt(value));
  for (; rest > 127n; rest >>= 7n) bytes.push(Number(rest & 127n) | 128);
  return Buffer.from([...bytes, Number(rest)]);
}

function integer(field: number, value: number): Buffer {
  return Buffer.concat([varint(field * 8), varint(value)]);
}

function float(field: number, value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeFloatLE(value);
  return Buffer.concat([varint(field * 8 + 5), bytes]);
}

function text(field: number, value: string): Buffer {
  return message(field, [Buffer.from(value)]);
}

function message(field: number, fields: readonly Buffer[]): Buffer {
  const body = Buffer.concat(fields);
  return Buffer.concat([varint(field * 8 + 2), varint(body.length), body]);
}
