import { ApiError } from '../domain/errors.ts';
import type { WorkspaceAddress } from '../domain/uri.ts';

export const PROVIDER = 'Microsoft.MachineLearningServices';

/** ARM ids of this workspace's resources. */
export const workspaceIdOf = ({ subscriptionId, resourceGroup, workspace }: WorkspaceAddress): string =>
  `/subscriptions/${subscriptionId}/resourceGroups/${resourceGroup}/providers/${PROVIDER}/workspaces/${workspace}`;

export const endpointId = (at: WorkspaceAddress, endpoint: string): string =>
  `${workspaceIdOf(at)}/batchEndpoints/${endpoint}`;

export const deploymentId = (at: WorkspaceAddress, endpoint: string, deployment: string): string =>
  `${endpointId(at, endpoint)}/deployments/${deployment}`;

export const modelId = (at: WorkspaceAddress, model: string): string => `${workspaceIdOf(at)}/models/${model}`;

export const modelVersionId = (at: WorkspaceAddress, model: string, version: string): string =>
  `${modelId(at, model)}/versions/${version}`;

export const resourceNotFound = (what: string): ApiError =>
  new ApiError(404, 'ResourceNotFound', `${what} does not exist.`);

export const systemData = (record: {
  readonly createdAt: string;
  readonly createdBy: string;
  readonly modifiedAt: string;
}) => ({
  createdAt: record.createdAt,
  createdBy: record.createdBy,
  createdByType: 'User',
  lastModifiedAt: record.modifiedAt,
});

export const jobId = (at: WorkspaceAddress, job: string): string => `${workspaceIdOf(at)}/jobs/${job}`;
