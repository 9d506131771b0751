import { outputFolder, SCORE } from '../../domain/run-output.ts';
import type { FoundRun } from '../run-lookup.ts';
import type { Workspace } from '../deps.ts';

/** An output of a run as clients download it. `uri` is of the short form. */
export interface RunOutput {
  readonly name: string;
  /** As the data assets' own types are written: the client leaves out what is neither. */
  readonly type: 'uri_file' | 'uri_folder';
  readonly uri: string;
}

/**
 * What can be downloaded of a run: the child's predictions, once they are committed. A caller's own file is a file; else it is
 * the folder, so that the file keeps its name and the errors file comes with it.
 */
export function runOutputs({ view, isChild }: FoundRun): RunOutput[] {
  const { record, spec } = view;
  const file = 'outputUri' in record ? record.outputUri : undefined;
  if (!isChild || file === undefined) return [];
  return spec.output?.kind === 'UriFile'
    ? [{ name: SCORE, type: 'uri_file', uri: file }]
    : [{ name: SCORE, type: 'uri_folder', uri: outputFolder(file) }];
}

/** The id under which an output is a data asset, as Azure ML writes it. */
export const outputAssetId = ({ location, workspaceId }: Workspace, runId: string, output: string): string =>
  `azureml://locations/${location}/workspaces/${workspaceId}/data/azureml_${runId}_output_data_${output}/versions/1`;

/** The run and output of such an id. */
export function parseOutputAssetId(id: string): { runId: string; output: string } | undefined {
  const parts = /\/data\/azureml_([a-z0-9-]+)_output_data_([A-Za-z0-9_]+)\/versions\/1$/i.exec(id);
  return parts?.[1] === undefined || parts[2] === undefined ? undefined : { runId: parts[1], output: parts[2] };
}
