import type { WorkspaceAddress } from '../../domain/uri.ts';
import type { AnyJobView } from '../../steps/any-job.ts';
import type { JobView } from '../../steps/job-view.ts';
import { jobId, PROVIDER } from '../resource-ids.ts';
import { pipelineSystemData } from './pipeline-system-data.ts';
import { jobProperties, jobSystemData, jobTags, type JobSurroundings } from '../scoring/job-resource.ts';

export const WORKSPACE_JOB = `${PROVIDER}/workspaces/jobs`;

/** The experiment that a job is filed under: the caller's, else its endpoint (contract 3.5). */
export const experimentOf = ({ spec }: JobView): string => spec.properties['experimentName'] ?? spec.endpoint;

/** A job as the workspace shows it (contract 3.5): a pipeline of one step. */
export function workspaceJobResource(view: JobView, { workspace, page }: JobSurroundings) {
  const { spec } = view;
  return {
    id: jobId(workspace, spec.name),
    name: spec.name,
    type: WORKSPACE_JOB,
    properties: {
      description:
        spec.description ?? `Pipeline submission for endpoint: ${spec.endpoint}, deployment: ${spec.deployment}.`,
      tags: jobTags(view),
      properties: jobProperties(view),
      displayName: spec.displayName,
      status: view.status,
      experimentName: experimentOf(view),
      services: { Tracking: endpointService('Tracking', null), Studio: endpointService('Studio', page) },
      computeId: null,
      isArchived: view.archived,
      identity: null,
      componentId: null,
      jobType: JOB_TYPE,
      settings: null,
      jobs: null,
      inputs: null,
      outputs: null,
      sourceJobId: null,
    },
    systemData: jobSystemData(view),
  };
}

/** The only type of job that there is so far. */
export const JOB_TYPE = 'Pipeline';

/** A child run by the job's route: without properties clients ask the run history for it (contract 4, jobs.get). */
export const childJobResource = (workspace: WorkspaceAddress, runId: string, view: AnyJobView) => ({
  id: jobId(workspace, runId),
  name: runId,
  type: WORKSPACE_JOB,
  properties: null,
  systemData: view.kind === 'scoring' ? jobSystemData(view) : pipelineSystemData(view),
});

/** A place that belongs to a job, for people. */
export const endpointService = (jobServiceType: string, endpoint: string | null) => ({
  jobServiceType,
  endpoint,
  port: null,
  status: null,
  errorMessage: null,
  properties: null,
  nodes: null,
});
