import type { ModelRecord } from '../domain/resources.ts';
import { collect } from '../storage/json-blobs.ts';
import type { Blobs, BlobRef } from '../storage/ports.ts';
import { ModelFault, type FileEngine } from './engine.ts';
import { parseMlmodel, type MlmodelFile } from './mlmodel.ts';
import { onnxEngine } from './onnx/engine.ts';

export interface ModelSource {
  readonly blobs: Blobs;
  /** Where a file of the model lies. */
  readonly at: (path: string) => BlobRef;
  readonly files: ModelRecord['files'];
}

/**
 * Loads a registered model: its `MLmodel` says which file is the ONNX model and what its columns are called; without one the
 * model's only `*.onnx` file is taken. Throws ModelFault when there is no model here that can be scored.
 */
export async function loadEngine(source: ModelSource, threads: number): Promise<FileEngine> {
  const descriptor = rootFile(source, 'MLmodel');
  const mlmodel =
    descriptor === undefined ? undefined : parseMlmodel(new TextDecoder().decode(await fetchFile(source, descriptor)));
  const path = onnxPath(source, descriptor, mlmodel);
  return onnxEngine({ model: await fetchFile(source, path), signature: mlmodel?.signature, threads });
}

/** The file of this name that lies highest in the model's folder. */
const rootFile = ({ files }: ModelSource, name: string): string | undefined =>
  files
    .map(({ path }) => path)
    .filter((path) => path.split('/').at(-1) === name)
    .sort((a, b) => a.split('/').length - b.split('/').length)[0];

function onnxPath(source: ModelSource, descriptor: string | undefined, mlmodel: MlmodelFile | undefined): string {
  const known = source.files.map(({ path }) => path);
  if (descriptor !== undefined && mlmodel) {
    if (mlmodel.onnxPath === undefined)
      throw new ModelFault(
        `The model has no onnx flavour (it has: ${Object.keys(mlmodel.flavors).join(', ') || 'none'}).`,
      );
    const path = descriptor.slice(0, -'MLmodel'.length) + mlmodel.onnxPath;
    if (!known.includes(path))
      throw new ModelFault(`MLmodel names ${mlmodel.onnxPath}, which is not among the model's files.`);
    return path;
  }
  const [only, ...others] = known.filter((path) => path.toLowerCase().endsWith('.onnx'));
  if (only === undefined) throw new ModelFault('The model holds neither an MLmodel file nor a *.onnx file.');
  if (others.length > 0)
    throw new ModelFault('The model holds several *.onnx files and no MLmodel file that names one of them.');
  return only;
}

async function fetchFile({ blobs, at }: ModelSource, path: string): Promise<Uint8Array> {
  const found = await blobs.read(at(path));
  if (!found) throw new Error(`the model's file ${path} is gone`);
  return collect(found.body);
}
