import fc from 'fast-check';
import { z } from 'zod';

/** As much of JSON Schema as the document has of bodies. */
const JsonSchema = z.looseObject({
  type: z.union([z.string(), z.array(z.string())]).optional(),
  enum: z.array(z.unknown()).optional(),
  const: z.unknown().optional(),
  anyOf: z.array(z.unknown()).optional(),
  properties: z.record(z.string(), z.unknown()).optional(),
  required: z.array(z.string()).default([]),
  additionalProperties: z.unknown().optional(),
  items: z.unknown().optional(),
  minimum: z.number().optional(),
  maximum: z.number().optional(),
});

export type Json = null | boolean | number | string | Json[] | { [name: string]: Json };

const DEEP = 70;
const LONG = 3000;
const STORE = 'azureml://datastores/workspaceblobstore/paths';

/** Texts that mean something here, or break what is careless. */
const WORDS = [
  ...['azureml:heart:1', 'azureml:heart@latest', 'azureml:flow:1', 'azureml:step:1', 'azureml:default', 'cluster'],
  ...[`${STORE}/models/heart`, `${STORE}/in/`, `${STORE}/`, `${STORE}/../x`, `${STORE}/%2e%2e/x`, `${STORE}/a//b`],
  ...['https://acct.blob.core.windows.net/data/in/a.csv?sv=1&sig=s3cret', 'https://127.0.0.1/data/x', 'http://[::1]/'],
  ...[
    'blue',
    'heart',
    'UriFolder',
    'uri_folder',
    'UriFile',
    'literal',
    'Pipeline',
    'Command',
    'AmlCompute',
    'AzureBlob',
  ],
  ...[
    'acct',
    'data',
    'batchpoint',
    'Id',
    'PT30S',
    'P1Y',
    'out.csv',
    '1',
    '-1',
    '1e999',
    'true',
    'null',
    '${{inputs.x}}',
  ],
  ...[
    '$[[x]]',
    '${{parent.inputs.__proto__}}',
    'echo ${{outputs.out}}',
    '../../etc/passwd',
    '__proto__',
    'constructor',
  ],
  ...['\u0000', 'a\u0000b', '\ud800', '\u202e', 'ẞ', '\r\nX-Evil: 1', ' ', '', '*', '|', '"', "'", '\\', '/'],
];

const BREAKING_NAMES = [
  '__proto__',
  'constructor',
  'toString',
  'hasOwnProperty',
  '',
  '\u0000',
  'a.b',
  'Properties',
  'TAGS',
];

const text: fc.Arbitrary<string> = fc.oneof(
  { weight: 5, arbitrary: fc.constantFrom(...WORDS) },
  { weight: 2, arbitrary: fc.string({ maxLength: 20 }) },
  { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 12 }) },
  { weight: 1, arbitrary: fc.constantFrom('x'.repeat(300), 'é'.repeat(LONG)) },
);

const numbers = fc.constantFrom(0, -0, 1, -1, 2, 0.1, 1e21, 1e308, -1e308, 2 ** 31, 2 ** 53, Number.MIN_VALUE, 10);

function deep(depth: number): Json {
  let value: Json = 1;
  for (let at = 0; at < depth; at++) value = at % 2 === 0 ? [value] : { x: value };
  return value;
}

/** Any value, whatever a schema says. */
export const anyJson: fc.Arbitrary<Json> = fc.oneof(
  { weight: 4, arbitrary: text },
  { weight: 3, arbitrary: numbers },
  { weight: 2, arbitrary: fc.constantFrom<Json>(null, true, false, [], {}, [[]], [null], deep(20), deep(DEEP)) },
  {
    weight: 1,
    arbitrary: fc.dictionary(fc.oneof(fc.constantFrom(...BREAKING_NAMES), text), fc.oneof(text, numbers), {
      maxKeys: 4,
      noNullPrototype: true,
    }),
  },
);

/** Values that a schema lets through, but for patterns. Only `$ref` is not read: the document has none in bodies. */
export function jsonOf(given: unknown, depth = 0): fc.Arbitrary<Json> {
  const schema = JsonSchema.safeParse(given).data;
  if (!schema || depth > 8) return anyJson;
  if (schema.enum) return fc.constantFrom(...z.array(z.union([z.string(), z.number(), z.null()])).parse(schema.enum));
  if (schema.anyOf) return fc.oneof(...schema.anyOf.map((one) => jsonOf(one, depth + 1)));
  const types = [schema.type ?? []].flat();
  if (types.length > 1) return fc.oneof(...types.map((type) => jsonOf({ ...schema, type }, depth)));
  switch (types[0]) {
    case 'object':
      return objectOf(schema, depth);
    case 'array':
      return fc.array(jsonOf(schema.items, depth + 1), { maxLength: 3 });
    case 'string':
      return text;
    case 'integer':
      return fc.integer({ min: Math.max(schema.minimum ?? -5, -1e9), max: Math.min(schema.maximum ?? 20, 20) });
    case 'number':
      return fc.double({ noNaN: true, noDefaultInfinity: true });
    case 'boolean':
      return fc.boolean();
    case 'null':
      return fc.constant(null);
    default:
      return anyJson;
  }
}

const Names = fc.oneof(
  fc.constantFrom('a', 'data', 'out', 'first', 'second', 'raw'),
  fc.constantFrom(...BREAKING_NAMES),
);

function objectOf(schema: z.infer<typeof JsonSchema>, depth: number): fc.Arbitrary<Json> {
  const { properties, additionalProperties, required } = schema;
  if (properties) {
    const fields = Object.fromEntries(Object.entries(properties).map(([name, one]) => [name, jsonOf(one, depth + 1)]));
    return fc.record(fields, { requiredKeys: required, noNullPrototype: true });
  }
  const value = additionalProperties ? jsonOf(additionalProperties, depth + 1) : anyJson;
  return fc.array(fc.tuple(Names, value), { maxLength: 3 }).map((entries) => Object.fromEntries(entries));
}

/** One thing that is done to a value somewhere inside. */
const mutation = fc.record({
  at: fc.nat(40),
  how: fc.constantFrom('replace', 'drop', 'add', 'rename', 'wrap'),
  name: fc.constantFrom(...BREAKING_NAMES),
  value: anyJson,
});
type Mutation = { at: number; how: 'replace' | 'drop' | 'add' | 'rename' | 'wrap'; name: string; value: Json };

/** The value with up to three things wrong. */
export const mutated = (values: fc.Arbitrary<Json>): fc.Arbitrary<Json> =>
  fc.tuple(values, fc.array(mutation, { maxLength: 3 })).map(([value, all]) => all.reduce(apply, value));

function apply(root: Json, { at, how, name, value }: Mutation): Json {
  let left = at;
  const change = (one: Json): Json => {
    if (left-- === 0)
      return how === 'wrap' ? [one] : how === 'add' && isObject(one) ? withField(one, name, value) : value;
    if (Array.isArray(one)) return one.map(change);
    if (!isObject(one)) return one;
    return Object.fromEntries(
      Object.entries(one).flatMap(([field, inside]): [string, Json][] => {
        if (left === 0 && how === 'drop') return (left--, []);
        if (left === 0 && how === 'rename') return (left--, [[field.toUpperCase(), inside]]);
        return [[field, change(inside)]];
      }),
    );
  };
  return change(root);
}

const isObject = (value: Json): value is { [name: string]: Json } =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** `fromEntries` makes a field even of `__proto__`. */
const withField = (value: { [name: string]: Json }, name: string, field: Json): Json =>
  Object.fromEntries([...Object.entries(value), [name, field]]);
