import { JobFault } from '../../domain/errors.ts';
import { ASSET_NAME_RULE, isAssetName } from '../../domain/management-names.ts';
import type { PathType } from '../../domain/pipeline/model.ts';
import { readRegistered, type RegisteredModel } from '../../pipeline/mlflow-registry.ts';
import { registryFolder, trackingFolder } from '../../pipeline/step-environment.ts';
import { outputBlob, OutputFault, outputFiles, type OutputFile } from './output-files.ts';
import type { StepFolder } from './step-folder.ts';
import type { StepPlace } from './step-manifest.ts';

export interface StepOutput {
  readonly type: PathType;
  readonly place: StepPlace;
}

/** Files that a command left, and where they go. */
export interface Collected {
  readonly place: StepPlace;
  readonly files: readonly OutputFile[];
}

export interface CollectedModel extends Collected {
  readonly model: RegisteredModel;
}

/**
 * All that is kept of what a command that ended well has written: every declared output, and the models that it registered. Throws
 * JobFault, naming it, for an output that was not written or cannot be kept, and for what was written elsewhere.
 */
export async function collectOutputs(
  folder: StepFolder,
  outputs: Readonly<Record<string, StepOutput & { readonly local: string }>>,
  modelsPlace: StepPlace,
): Promise<{ readonly outputs: ReadonlyMap<string, Collected>; readonly models: readonly CollectedModel[] }> {
  const [stray] = await folder.strays();
  if (stray !== undefined)
    throw new JobFault(
      'WroteOutside',
      `The command wrote '${stray.slice(0, 200)}' outside its folder. Only what it writes to its outputs is kept.`,
    );
  const within = folder.run;
  const found = new Map<string, Collected>();
  for (const [name, { type, place, local }] of Object.entries(outputs)) {
    const what = `Output '${name}'`;
    const files = await outputFiles({ what, isFile: type === 'uri_file', local, place: place.path, within });
    found.set(name, { place, files });
  }
  const models: CollectedModel[] = [];
  for (const model of await readRegistered(registryFolder(folder.mlflow), trackingFolder(folder.mlflow))) {
    const path = outputBlob(modelsPlace.path, `${model.name}/${model.version}`);
    const what = `Registered model '${model.name.slice(0, 200)}'`;
    if (!isAssetName(model.name)) throw new OutputFault(what, `its name ${ASSET_NAME_RULE}.`);
    const files = await outputFiles({ what, isFile: false, local: model.folder, place: path, within });
    models.push({ model, place: { ...modelsPlace, path }, files });
  }
  refuseSharedBlobs(found);
  return { outputs: found, models };
}

/** Of two outputs that write one blob, only the blocks of one could be committed. */
function refuseSharedBlobs(outputs: ReadonlyMap<string, Collected>): void {
  const owners = new Map<string, string>();
  for (const [name, { place, files }] of outputs)
    for (const { path } of files) {
      const blob = outputBlob(place.path, path);
      const key = `${place.datastore}/${blob}`;
      const other = owners.get(key);
      if (other !== undefined)
        throw new JobFault('BadOutput', `Outputs '${other}' and '${name}' both write '${blob.slice(0, 200)}'.`);
      owners.set(key, name);
    }
}
