import { workspaceIdOf } from '../domain/resource-ids.ts';
import type { WorkspaceAddress } from '../domain/uri.ts';

export { assetId, assetVersionId, PROVIDER, workspaceIdOf } from '../domain/resource-ids.ts';

/** ARM ids of this workspace's resources. */
export const endpointId = (at: WorkspaceAddress, endpoint: string): string =>
  `${workspaceIdOf(at)}/batchEndpoints/${endpoint}`;

export const deploymentId = (at: WorkspaceAddress, endpoint: string, deployment: string): string =>
  `${endpointId(at, endpoint)}/deployments/${deployment}`;

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
