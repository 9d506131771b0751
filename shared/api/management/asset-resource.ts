import type { AssetRecord } from '../../domain/resources.ts';
import type { WorkspaceAddress } from '../../domain/uri.ts';
import type { AssetContainer } from '../../steps/asset-containers.ts';
import type { AssetKind } from '../../steps/asset-kinds.ts';
import { assetId, assetVersionId, PROVIDER, systemData } from '../resource-ids.ts';

/** A version as Azure ML shows it. */
export const versionResource = (at: WorkspaceAddress, { kind }: AssetKind, record: AssetRecord) => ({
  id: assetVersionId(at, kind, record.name, record.version),
  name: record.version,
  type: `${PROVIDER}/workspaces/${kind}/versions`,
  properties: {
    description: record.description,
    tags: record.tags,
    properties: record.properties,
    isArchived: record.isArchived,
    isAnonymous: record.isAnonymous,
    ...record.content,
    provisioningState: 'Succeeded',
  },
  systemData: systemData(record),
});

/** An asset without its versions as Azure ML shows it; a data asset says what its latest version is. */
export const containerResource = (at: WorkspaceAddress, { kind }: AssetKind, container: AssetContainer) => {
  const { record, latest, nextVersion } = container;
  return {
    id: assetId(at, kind, record.name),
    name: record.name,
    type: `${PROVIDER}/workspaces/${kind}`,
    properties: {
      description: record.description,
      tags: record.tags,
      properties: record.properties,
      isArchived: record.isArchived,
      latestVersion: latest?.version ?? null,
      nextVersion,
      ...(kind === 'data' && { dataType: latest?.content['dataType'] ?? 'uri_folder' }),
      provisioningState: 'Succeeded',
    },
    systemData: systemData(record),
  };
};
