import { badRequest } from './errors.ts';
import { isAssetName, isAssetVersion } from './management-names.ts';
import type { AssetKindName } from './resources.ts';
import { workspaceGuid, type WorkspaceAddress } from './uri.ts';

/** What error texts call the kinds of assets that clients refer to. */
const NOUNS: Readonly<Record<AssetKindName, string>> = {
  models: 'model',
  data: 'data asset',
  codes: 'code',
  environments: 'environment',
  components: 'component',
};

export interface AskedAsset {
  readonly name: string;
  /** `latest` stands for the version that was registered last. */
  readonly version: string;
  readonly isLabel: boolean;
}

const DATA_ID =
  /^(?:azureml:)?\/{0,2}(?:subscriptions\/[^/]+\/resourcegroups\/[^/]+\/(?:providers\/[^/]+\/)?|locations\/[^/]+\/)workspaces\/[^/]+\/data\//i;

/** True for a text that names a data asset and no place: `azureml:name:version`, or an id of one (contract 6). */
export const namesDataAsset = (text: string): boolean =>
  /^azureml:\/?(?!subscriptions\/)[^/]/i.test(text) || DATA_ID.test(text);

/**
 * Reads the forms in which clients name an asset (contract 6): `azureml:name:version`, `azureml:name@latest`, and this
 * workspace's ids, short (`azureml://locations/...`) and long. Throws ApiError 400 for anything else.
 */
export function parseAssetReference(
  kind: AssetKindName,
  text: string,
  at: WorkspaceAddress,
  target: string,
): AskedAsset {
  const noun = NOUNS[kind];
  const wrong = (message: string) => badRequest(`${target}: ${message}`, target);
  const asked = (name = '', version: string | undefined, label: string | undefined): AskedAsset => {
    if (label !== undefined && label.toLowerCase() !== 'latest')
      throw wrong(`the only label of a ${noun} is 'latest', not '${label.slice(0, 80)}'.`);
    if (!isAssetName(name) || (version !== undefined && !isAssetVersion(version)))
      throw wrong(`'${text.slice(0, 200)}' does not hold a ${noun}'s name and version.`);
    return { name, version: version ?? 'latest', isLabel: label !== undefined };
  };

  const plain = /^azureml:\/?([^:@/]+)(?::([^:@/]+)|@([^:@/]+))$/i.exec(text);
  if (plain) return asked(plain[1], plain[2], plain[3]);
  const long =
    /^(?:azureml:\/?)?\/subscriptions\/([^/]+)\/resourcegroups\/([^/]+)\/(?:providers\/[^/]+\/)?workspaces\/([^/]+)\/([^/]+)\/(.+)$/i.exec(
      text,
    );
  const short = /^azureml:\/\/locations\/[^/]+\/workspaces\/([^/]+)\/([^/]+)\/(.+)$/i.exec(text);
  const rest = /^([^/]+)\/(?:versions\/)?(?:labels\/([^/]+)|([^/]+))$/i.exec(long?.[5] ?? short?.[3] ?? '');
  if (!rest || !same(long?.[4] ?? short?.[2], kind))
    throw wrong(
      `'${text.slice(0, 200)}' is no ${noun} id. Use azureml:<name>:<version> or the ${noun} version's ARM id.`,
    );
  const ours = long
    ? same(long[1], at.subscriptionId) && same(long[2], at.resourceGroup) && same(long[3], at.workspace)
    : same(short?.[1], at.workspace) || same(short?.[1], workspaceGuid(at));
  if (!ours) throw wrong(`the ${noun} is not in this workspace.`);
  return asked(rest[1], rest[3], rest[2]);
}

const same = (given: string | undefined, ours: string): boolean => given?.toLowerCase() === ours.toLowerCase();
