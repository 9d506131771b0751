import { namesDataAsset } from '../../domain/asset-reference.ts';
import { badRequest } from '../../domain/errors.ts';
import { parseJobOutput } from '../../domain/job-output-uri.ts';
import { isOther } from '../../domain/pipeline/bind-inputs.ts';
import { a } from '../../domain/pipeline/check-inputs.ts';
import type { PathType } from '../../domain/pipeline/model.ts';
import type { StepInput } from '../../domain/pipeline/pipeline-job.ts';
import { dataUri } from '../../domain/uri.ts';
import { MODELS } from '../asset-kinds.ts';
import { dataAsset, isFolder, type PlaceDeps } from '../job-places.ts';
import { jobOutputPlace, type FoundOutput } from '../job-output-place.ts';
import { referencedVersion } from '../referenced-version.ts';
import { usablePlace, type DataUser } from '../usable-place.ts';

interface AskedPath {
  readonly type: PathType;
  /** As sent: a data URI, an output of a job, or a reference to a data asset or model. */
  readonly uri: string;
}

/**
 * What a file, folder or model that a pipeline is given is now: a registered model, or a place in a datastore. Throws ApiError 400
 * for what is not there or of another type, 403 for a place outside of the datastores.
 */
export async function stepInput(
  deps: PlaceDeps,
  asked: AskedPath,
  user: DataUser,
  target: string,
): Promise<Extract<StepInput, { from: 'place' | 'model' }>> {
  const { type, uri } = asked;
  if (namesModel(asked)) {
    const { name, version } = await referencedVersion(deps, MODELS, uri, target);
    return { from: 'model', type, model: { name, version } };
  }
  const { ownFolders, ...place } = await placeOf(deps, asked, user, target);
  const address = await usablePlace(
    deps,
    {
      ...{ access: 'read', uri: place.uri, asked: uri, extent: type === 'uri_folder' ? 'folder' : 'file' },
      ...(ownFolders && { ownFolders }),
    },
    user,
    target,
  );
  if (type === 'uri_file' && isFolder(address.path))
    throw badRequest(`${target}: is a folder, and the input takes a uri_file; name a file.`, target);
  return { from: 'place', type, uri: dataUri(address) };
}

/** The client writes a model as its id; a REST caller may write `azureml:<name>:<version>`, which a data asset could be, too. */
const namesModel = ({ type, uri }: AskedPath): boolean =>
  /^(azureml:)?\/{0,2}(subscriptions|locations)\/.*\/models\/[^/]+\/(versions|labels)\//i.test(uri) ||
  (type.endsWith('_model') && /^azureml:\/?[^/:@]+[:@][^/:@]+$/i.test(uri));

async function placeOf(
  deps: PlaceDeps,
  { type, uri }: AskedPath,
  { caller }: DataUser,
  target: string,
): Promise<Pick<FoundOutput, 'uri'> & Partial<FoundOutput>> {
  if (namesDataAsset(uri)) {
    const asset = await dataAsset(deps, uri, target);
    if (isOther(type, asset.type))
      throw badRequest(`${target}: takes ${a(type)}, and data asset '${asset.name}' is ${a(asset.type)}.`, target);
    return { uri: asset.uri };
  }
  const output = parseJobOutput(uri);
  return output ? jobOutputPlace(deps, output, caller, target) : { uri };
}
