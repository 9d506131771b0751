import { STORAGE_HOST } from './certificate.ts';
import type { Workspace } from './client.ts';
import type { IdentityServer } from './identity-server.ts';

/** Where a started app and its storage answer. */
interface Place {
  readonly url: string;
  readonly blobPort: number;
}

/** Tells how to point the unmodified `azure-ai-ml` client at a started app: the shell's lines, then those of Python. */
export function pythonGuide(ca: string, identity: IdentityServer, place: Place, workspace: Workspace): string {
  return `
Point azure-ai-ml here. In the shell that runs Python:

  export REQUESTS_CA_BUNDLE=${ca}
  export SSL_CERT_FILE=${ca}
  export IDENTITY_ENDPOINT=${identity.endpoint}
  export IDENTITY_HEADER=${identity.header}

in /etc/hosts, where names under .localhost do not resolve:

  127.0.0.1 ${STORAGE_HOST}

and in Python:

  from azure.ai.ml import MLClient
  from azure.identity import DefaultAzureCredential
${setUp(place, workspace)
  .map((line) => `  ${line}\n`)
  .join('')}`;
}

/** Three lines: the cloud, the workspace, the client. The client wants all six addresses and uses three. */
function setUp({ url, blobPort }: Place, { subscriptionId, resourceGroup, workspace }: Workspace): string[] {
  const cloud = {
    resource_manager: url,
    aml_resource_id: 'https://ml.azure.com',
    storage_endpoint: `localhost:${blobPort}`,
    azure_portal: url,
    active_directory: url,
    registry_discovery_endpoint: url,
  };
  return [
    `cloud = ${JSON.stringify(cloud)}`,
    `workspace = ${JSON.stringify([subscriptionId, resourceGroup, workspace])}`,
    'ml_client = MLClient(DefaultAzureCredential(), *workspace, cloud="Local", cloud_metadata=cloud)',
  ];
}
