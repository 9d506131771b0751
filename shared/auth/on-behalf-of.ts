import { ManagedIdentityCredential, OnBehalfOfCredential, type TokenCredential } from '@azure/identity';
import { ApiError, messageOf } from '../domain/errors.ts';

/** How the app shows the tenant that it is its own registration. */
export type ClientProof =
  | { readonly secret: string }
  /** A PEM file with certificate and key. */
  | { readonly certificatePath: string }
  /** The client id of a managed identity that the registration trusts (federated credential): no secret at all. */
  | { readonly managedIdentity: string };

export interface ExchangingApp {
  readonly authority: string;
  readonly tenantId: string;
  readonly clientId: string;
  readonly proof: ClientProof;
}

/** Where a managed identity gets the assertion that a federated credential takes. */
const EXCHANGE_SCOPE = 'api://AzureADTokenExchange/.default';

/**
 * Credentials of the persons whose tokens come in, by the on-behalf-of flow: tokens that say them, for other services. `getToken`
 * throws ApiError 400 `IdentityNotAvailable` when the tenant refuses, 503 when it cannot be asked; no token is in any text.
 */
export function onBehalfOf({
  authority,
  tenantId,
  clientId,
  proof,
}: ExchangingApp): (token: string) => TokenCredential {
  // The authority is the operator's choice: nobody else has to vouch for it.
  const app = { tenantId, clientId, authorityHost: authority, disableInstanceDiscovery: true };
  return (userAssertionToken) => {
    const credential = credentialOf(proof, { ...app, userAssertionToken });
    return {
      async getToken(scopes, options) {
        try {
          return await credential.getToken(scopes, options);
        } catch (error) {
          throw exchangeFault(error);
        }
      },
    };
  };
}

interface Common {
  readonly tenantId: string;
  readonly clientId: string;
  readonly userAssertionToken: string;
}

function credentialOf(proof: ClientProof, common: Common): OnBehalfOfCredential {
  if ('secret' in proof) return new OnBehalfOfCredential({ ...common, clientSecret: proof.secret });
  if ('certificatePath' in proof)
    return new OnBehalfOfCredential({ ...common, certificatePath: proof.certificatePath });
  const identity = new ManagedIdentityCredential({ clientId: proof.managedIdentity });
  const getAssertion = async () => (await identity.getToken(EXCHANGE_SCOPE)).token;
  return new OnBehalfOfCredential({ ...common, getAssertion });
}

/** Entra's refusals have a code; whatever has none never got an answer. */
function exchangeFault(error: unknown): ApiError {
  const code = /AADSTS\d+/.exec(messageOf(error))?.[0];
  return code === undefined
    ? new ApiError(503, 'ServiceUnavailable', 'The tenant cannot be asked for a token of the caller now. Try again.')
    : identityNotAvailable(`Microsoft Entra ID refused to exchange the caller's token (${code})`);
}

/** A job that cannot run as its invoker. */
export const identityNotAvailable = (reason: string): ApiError =>
  new ApiError(400, 'IdentityNotAvailable', `The deployment runs its jobs as their invoker: ${reason}.`);
