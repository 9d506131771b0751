import type { ModelRecord } from '../domain/resources.ts';
import { collect } from '../storage/json-blobs.ts';
import type { Blobs, BlobRef } from '../storage/ports.ts';
import { ModelFault } from './engine.ts';
import { parseMlmodel, type Signature } from './mlmodel.ts';

export interface ModelSource {
  readonly blobs: Blobs;
  /** Where a file of the model lies. */
  readonly at: (path: string) => BlobRef;
  readonly files: ModelRecord['files'];
}

/** What scores with a model that comes without code. */
export type ModelKind =
  /** The file at `path`, in this process. */
  | { readonly kind: 'onnx'; readonly path: string; readonly signature: Signature | undefined }
  /** MLflow's python_function, of the `MLmodel` in `folder`: a path in the model, '' or with a slash at its end. */
  | { readonly kind: 'pythonFunction'; readonly folder: string };

/**
 * How a registered model scores without code: its `MLmodel` says so; without one its only `*.onnx` file is taken. Throws
 * ModelFault for a model that cannot.
 */
export async function modelKind(source: ModelSource): Promise<ModelKind> {
  const known = source.files.map(({ path }) => path);
  const descriptor = highest(known, 'MLmodel');
  if (descriptor === undefined) return { kind: 'onnx', path: onlyOnnx(known), signature: undefined };
  const mlmodel = parseMlmodel(new TextDecoder().decode(await fetchFile(source, descriptor)));
  const folder = descriptor.slice(0, -'MLmodel'.length);
  if (mlmodel.onnxPath === undefined) {
    if (mlmodel.flavors['python_function'] !== undefined) return { kind: 'pythonFunction', folder };
    const flavours = Object.keys(mlmodel.flavors).join(', ') || 'none';
    throw new ModelFault(
      `The model has neither the onnx nor the python_function flavour (it has: ${flavours}); ${DEPLOY_WITH_CODE}.`,
    );
  }
  const path = folder + mlmodel.onnxPath;
  if (!known.includes(path))
    throw new ModelFault(`MLmodel names ${mlmodel.onnxPath}, which is not among the model's files.`);
  return { kind: 'onnx', path, signature: mlmodel.signature };
}

const DEPLOY_WITH_CODE = 'deploy it with a scoring script (codeConfiguration)';

/** The file of this name that lies highest in the model's folder. */
const highest = (paths: readonly string[], name: string): string | undefined =>
  paths.filter((path) => path.split('/').at(-1) === name).sort((a, b) => a.split('/').length - b.split('/').length)[0];

function onlyOnnx(paths: readonly string[]): string {
  const [only, ...others] = paths.filter((path) => path.toLowerCase().endsWith('.onnx'));
  if (only === undefined)
    throw new ModelFault(`The model holds neither an MLmodel file nor a *.onnx file; ${DEPLOY_WITH_CODE}.`);
  if (others.length > 0)
    throw new ModelFault('The model holds several *.onnx files and no MLmodel file that names one of them.');
  return only;
}

export async function fetchFile({ blobs, at }: ModelSource, path: string): Promise<Uint8Array> {
  const found = await blobs.read(at(path));
  if (!found) throw new Error(`the model's file ${path} is gone`);
  return collect(found.body);
}
