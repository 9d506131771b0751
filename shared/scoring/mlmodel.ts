import { parse } from 'yaml';
import { z } from 'zod';
import { ModelFault } from './engine.ts';

/** A column of a model's signature, with MLflow's word for its type (`double`, `long`, `string`, ...). */
const column = z.object({
  name: z.string(),
  type: z.union([z.string(), z.record(z.string(), z.unknown())]),
  required: z.boolean().optional(),
});
const tensor = z.object({ type: z.literal('tensor'), 'tensor-spec': z.object({ dtype: z.string() }) });
const unnamed = z.object({
  type: z.union([z.string(), z.record(z.string(), z.unknown())]),
  name: z.undefined().optional(),
});
const schemaColumns = z.union([z.array(tensor), z.array(column), z.array(unnamed)]);

const file = z.object({
  flavors: z.record(z.string(), z.record(z.string(), z.unknown())),
  signature: z.object({ inputs: z.string().nullish(), outputs: z.string().nullish() }).nullish(),
});

const onnxFlavor = z.object({ data: z.string().default('model.onnx') });

export interface SignatureColumn {
  readonly name: string;
  /** MLflow's word for the type; `object` and `array` columns give only that word. */
  readonly type: string;
  readonly required: boolean;
}

/** The named columns of a model. Empty where the model takes or gives tensors, which have no column names. */
export interface Signature {
  readonly inputs: readonly SignatureColumn[];
  readonly outputs: readonly SignatureColumn[];
}

export interface MlmodelFile {
  /** Each flavour by name, with its settings as they are in the file. */
  readonly flavors: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  /** Path of the ONNX file inside the model's folder, when the model has the `onnx` flavour. */
  readonly onnxPath: string | undefined;
  readonly signature: Signature | undefined;
}

/** Reads an MLflow `MLmodel` file. Throws ModelFault when it is not one. */
export function parseMlmodel(text: string): MlmodelFile {
  let content: unknown;
  try {
    content = parse(text);
  } catch (error) {
    throw new ModelFault(`MLmodel is not YAML: ${firstLine(error)}`, { cause: error });
  }
  const { flavors, signature } = check(file, content, 'MLmodel');
  return {
    flavors,
    onnxPath: flavors['onnx'] === undefined ? undefined : onnxPath(flavors['onnx']),
    signature: signature
      ? { inputs: columns(signature.inputs, 'inputs'), outputs: columns(signature.outputs, 'outputs') }
      : undefined,
  };
}

function onnxPath(flavor: unknown): string {
  const { data } = check(onnxFlavor, flavor, 'MLmodel flavors.onnx');
  const parts = data.split('/');
  if (parts.some((part) => part === '' || part === '.' || part === '..') || data.includes('\\')) {
    throw new ModelFault(
      `MLmodel flavors.onnx.data must be a path inside the model's folder, got ${JSON.stringify(data)}.`,
    );
  }
  return data;
}

function columns(json: string | null | undefined, side: 'inputs' | 'outputs'): SignatureColumn[] {
  if (json === null || json === undefined) return [];
  let content: unknown;
  try {
    content = JSON.parse(json);
  } catch (error) {
    throw new ModelFault(`MLmodel signature.${side} is not JSON: ${firstLine(error)}`, { cause: error });
  }
  return check(schemaColumns, content, `MLmodel signature.${side}`).flatMap((entry) =>
    'name' in entry && entry.name !== undefined
      ? [
          {
            name: entry.name,
            type: typeof entry.type === 'string' ? entry.type : 'object',
            required: entry.required ?? true,
          },
        ]
      : [],
  );
}

function check<T>(schema: z.ZodType<T>, content: unknown, what: string): T {
  const result = schema.safeParse(content);
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  const path = issue?.path.join('.');
  throw new ModelFault(`${what}${path ? ` ${path}` : ''}: ${issue?.message ?? 'not valid'}`);
}

function firstLine(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).split('\n')[0] ?? '';
}
