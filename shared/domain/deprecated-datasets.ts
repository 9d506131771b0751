import { z } from 'zod';
import { caselessObject } from './caseless.ts';

/** What older scripts and `params_override` send in place of `inputData` and `outputData` (contract 1.2). */

const text = z.string().min(1, 'must not be empty');

const datasetFields = caselessObject({
  /** Of a DataUrl. */
  path: text.optional(),
  /** Of a DatasetId. */
  datasetId: text.optional(),
  /** Of a DatasetVersion. */
  datasetName: text.optional(),
  datasetVersion: text.optional(),
});

/** `dataset`: a URI, a data asset's id, or its name and version. Answers the URI of `inputData`. */
export const Dataset = z.union([text, datasetFields]).transform((given, context) => {
  const uri = typeof given === 'string' ? given : datasetUri(given);
  if (uri !== undefined) return uri;
  const message = 'needs a path (DataUrl), a datasetId (DatasetId) or a datasetName (DatasetVersion)';
  context.addIssue({ code: 'custom', message, input: given });
  return z.NEVER;
});

function datasetUri({ path, datasetId, datasetName, datasetVersion }: z.infer<typeof datasetFields>) {
  if (path !== undefined) return path;
  if (datasetId !== undefined) return datasetId;
  if (datasetName === undefined) return undefined;
  return datasetVersion === undefined ? `azureml:${datasetName}@latest` : `azureml:${datasetName}:${datasetVersion}`;
}

/** A path whose last part has an extension names a file; nothing else in a `dataset` tells. */
export const kindOfPath = (uri: string): 'UriFile' | 'UriFolder' =>
  /\.[A-Za-z0-9]+$/.test(uri.replace(/\?.*$/s, '').split('/').at(-1) ?? '') ? 'UriFile' : 'UriFolder';

/**
 * The client joins an older `output_dataset` and a file name into a URI and looks at neither prefix nor slashes:
 * `azureml://datastores/azureml:store/paths//out//file.csv`.
 */
export const tidyOutputUri = (uri: string): string =>
  uri.replace(
    /^(azureml:\/\/datastores\/)(?:azureml:)?([^/:]+\/paths\/)(.*)$/i,
    (_, datastores: string, store: string, path: string) =>
      datastores + store + path.replace(/\/+/g, '/').replace(/^\//, ''),
  );

/** `outputDataset`: a folder of a datastore, which is named or given by its ARM id. Answers the URI of `outputData`. */
export const OutputDataset = caselessObject({ datastoreId: text, path: z.string().default('') }).transform(
  ({ datastoreId, path }) => {
    const place = path
      .split('/')
      .filter((part) => part !== '')
      .map(encodeURIComponent)
      .join('/');
    const id = datastoreId.replace(/^azureml:(?=[^/]|\/subscriptions\/)/i, '');
    const store = /^\/subscriptions\//i.test(id) ? id : `azureml://datastores/${id}`;
    return `${store}/paths/${place}`;
  },
);
