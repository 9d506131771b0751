import { outputFolder, SCORE } from '../../domain/run-output.ts';
import type { FoundRun, PipelineRun, ScoringRun } from '../run-lookup.ts';
import type { Workspace } from '../deps.ts';

/** An output of a run as clients download it. `uri` is of the short form. */
export interface RunOutput {
  readonly name: string;
  /** As the data assets' own types are written: the client leaves out what is neither. */
  readonly type: 'uri_file' | 'uri_folder';
  readonly uri: string;
}

/** What can be downloaded of a run, once it is there. */
export const runOutputs = (run: FoundRun): RunOutput[] =>
  run.kind === 'scoring' ? scoringOutputs(run) : pipelineOutputs(run);

/**
 * The child's predictions. A caller's own file is a file; else it is the folder, so that the file keeps its name and the errors
 * file comes with it.
 */
function scoringOutputs({ view, isChild }: ScoringRun): RunOutput[] {
  const { record, spec } = view;
  const file = 'outputUri' in record ? record.outputUri : undefined;
  if (!isChild || file === undefined) return [];
  return spec.output?.kind === 'UriFile'
    ? [{ name: SCORE, type: 'uri_file', uri: file }]
    : [{ name: SCORE, type: 'uri_folder', uri: outputFolder(file) }];
}

/** The outputs of a pipeline, or of its step; models are folders here, or the client would leave them out. */
function pipelineOutputs({ view, step }: PipelineRun): RunOutput[] {
  const written = step ? (step.record.state === 'completed' ? step.record.outputs : {}) : view.outputs;
  return Object.entries(written).map(([name, { uri }]) => ({
    name,
    type: uri.endsWith('/') ? 'uri_folder' : 'uri_file',
    uri,
  }));
}

/** The id under which an output is a data asset, as Azure ML writes it. */
export const outputAssetId = ({ location, workspaceId }: Workspace, runId: string, output: string): string =>
  `azureml://locations/${location}/workspaces/${workspaceId}/data/azureml_${runId}_output_data_${output}/versions/1`;

/** The run and output of such an id. */
export function parseOutputAssetId(id: string): { runId: string; output: string } | undefined {
  const parts = /\/data\/azureml_([a-z0-9_-]+)_output_data_([\w.-]+)\/versions\/1$/i.exec(id);
  return parts?.[1] === undefined || parts[2] === undefined ? undefined : { runId: parts[1], output: parts[2] };
}
