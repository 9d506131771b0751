import type { JobSpec } from '../domain/job.ts';
import type { SignedPart } from '../domain/signed-url.ts';
import { dataUri, parseDataUri, type DataAddress, type WorkspaceAddress } from '../domain/uri.ts';
import { uriRules, type Datastores } from './datastore-source.ts';
import { datastoreOf } from './deps.ts';
import { isSignedStore, plainUrl, signedStore } from './signed-urls.ts';

interface AddressDeps {
  readonly workspace: WorkspaceAddress;
  readonly datastores: Datastores;
}

/** Where a job's input or output lies: in a datastore, or where a signed URL led, whose store only this job's plan can name. */
export async function jobAddress(
  deps: AddressDeps,
  job: string,
  part: SignedPart,
  { uri, source, signed }: Pick<JobSpec['input'], 'uri' | 'source' | 'signed'>,
): Promise<DataAddress> {
  const { workspace } = deps;
  const rules = signed
    ? { workspace, datastores: [(await datastoreOf(deps, signedStore(job, part))).address] }
    : await uriRules(deps);
  return parseDataUri(source ?? uri, rules, `${part}Data`);
}

/** A written blob as its job shows it. */
export async function writtenUri(
  deps: AddressDeps,
  { datastore, blob }: { readonly datastore: string; readonly blob: string },
): Promise<string> {
  if (!isSignedStore(datastore)) return dataUri({ datastore, path: blob });
  return plainUrl((await datastoreOf(deps, datastore)).address, blob);
}
