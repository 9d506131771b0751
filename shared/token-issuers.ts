import type { TokenCredential } from '@azure/identity';
import { onBehalfOf, type ClientProof } from './auth/on-behalf-of.ts';
import { messageOf } from './domain/errors.ts';
import { DEV_TENANT, devIssuer } from './auth/dev-tokens.ts';
import { authorizationUri, entraIssuers } from './auth/entra-tokens.ts';
import { tokenVerifier, type VerifyToken } from './auth/token-verifier.ts';
import type { Settings } from './settings.ts';
import type { Log } from './steps/ports.ts';
import { isDevelopmentStorage } from './storage/account.ts';

/** Whose tokens the app takes. */
export interface Trust {
  readonly tenantId: string;
  readonly verifyToken: VerifyToken;
  readonly authorizationUri?: string;
  /** A credential of whom a token was given to; absent where the app cannot exchange tokens. */
  readonly exchange?: (token: string) => TokenCredential;
}

/**
 * Either a tenant of Microsoft Entra ID or, on a developer's machine, the development issuer. Throws where the settings would let
 * nobody in, or would join a tenant with tokens or storage that a developer's machine makes (S4.3).
 */
export function trust(settings: Settings, log: Log): Trust {
  const { BATCHPOINT_TENANT_ID: tenantId, BATCHPOINT_CLIENT_ID: clientId, BATCHPOINT_DEV_JWKS: devKeys } = settings;
  const { inAzure } = settings;
  if (inAzure && devKeys !== undefined)
    throw new Error(
      "BATCHPOINT_DEV_JWKS is set in Azure. Development tokens count on a developer's machine only: remove it.",
    );
  if (tenantId !== undefined && clientId !== undefined) return entra(settings, { tenantId, clientId }, log);
  if (tenantId !== undefined || clientId !== undefined)
    throw new Error('BATCHPOINT_TENANT_ID and BATCHPOINT_CLIENT_ID belong together: set both or neither.');
  if (inAzure)
    throw new Error(
      'In Azure the app takes tokens of Microsoft Entra ID alone: set BATCHPOINT_TENANT_ID and BATCHPOINT_CLIENT_ID.',
    );
  if (devKeys === undefined)
    throw new Error(
      'No token issuer is configured: set BATCHPOINT_DEV_JWKS (npm start does), or BATCHPOINT_TENANT_ID and BATCHPOINT_CLIENT_ID.',
    );
  const verifyToken = tokenVerifier({ issuers: [devIssuer(devKeys)], assignments: settings.BATCHPOINT_ROLES });
  return { tenantId: DEV_TENANT, verifyToken };
}

function entra(settings: Settings, app: { readonly tenantId: string; readonly clientId: string }, log: Log): Trust {
  checkNotDeveloping(settings);
  const {
    BATCHPOINT_AUTHORITY: authority,
    BATCHPOINT_ACCEPT_AUDIENCES: accepted,
    BATCHPOINT_ROLES: assignments,
  } = settings;
  const proof = clientProof(settings);
  if (accepted.length > 0) log.warn({ accepted }, 'tokens that were made for other services are accepted');
  const issuers = entraIssuers({
    ...app,
    authority,
    audiences: settings.BATCHPOINT_AUDIENCES,
    accepted,
    onFault: (error) => log.warn({ error: messageOf(error) }, 'the keys of the token issuer could not be fetched'),
  });
  return {
    tenantId: app.tenantId,
    verifyToken: tokenVerifier({ issuers, assignments }),
    authorizationUri: authorizationUri({ ...app, authority }),
    ...(proof && { exchange: onBehalfOf({ ...app, authority, proof }) }),
  };
}

/** Throws when there are several, or when what is exchanged could not be kept safely. */
function clientProof(settings: Settings): ClientProof | undefined {
  const {
    BATCHPOINT_CLIENT_SECRET: secret,
    BATCHPOINT_CLIENT_CERTIFICATE: certificatePath,
    BATCHPOINT_CLIENT_MANAGED_IDENTITY: managedIdentity,
  } = settings;
  const [proof, ...more] = [
    ...(secret === undefined ? [] : [{ secret }]),
    ...(certificatePath === undefined ? [] : [{ certificatePath }]),
    ...(managedIdentity === undefined ? [] : [{ managedIdentity }]),
  ];
  if (more.length > 0)
    throw new Error(
      'BATCHPOINT_CLIENT_SECRET, BATCHPOINT_CLIENT_CERTIFICATE and BATCHPOINT_CLIENT_MANAGED_IDENTITY: set one of them.',
    );
  if (proof && settings.inAzure && settings.BATCHPOINT_VAULT_KEY === undefined)
    throw new Error('In Azure the access of callers is kept under a key of Key Vault: set BATCHPOINT_VAULT_KEY.');
  return proof;
}

/** Whoever can make tokens or reach the storage of a developer's machine must not meet a tenant's data. */
function checkNotDeveloping(settings: Settings): void {
  if (settings.BATCHPOINT_DEV_JWKS !== undefined)
    throw new Error('BATCHPOINT_DEV_JWKS and BATCHPOINT_TENANT_ID exclude each other: remove one of them.');
  const connections: readonly (readonly [string, readonly (string | undefined)[]])[] = [
    ['AzureWebJobsStorage', [settings.AzureWebJobsStorage, settings.AzureWebJobsStorage__blobServiceUri]],
    ['BATCHPOINT_STATE', Object.values(settings.state)],
    ['BATCHPOINT_DATASTORES', settings.BATCHPOINT_DATASTORES.map(({ connection }) => connection)],
    ['BATCHPOINT_DATASTORE_ACCOUNTS', settings.BATCHPOINT_DATASTORE_ACCOUNTS],
  ];
  const [found] = connections.filter(([, values]) =>
    values.some((value) => value !== undefined && isDevelopmentStorage(value)),
  );
  if (found)
    throw new Error(`${found[0]} is development storage, which must not be used together with BATCHPOINT_TENANT_ID.`);
}
