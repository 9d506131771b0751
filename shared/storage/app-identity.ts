import type { GetTokenOptions, TokenCredential } from '@azure/identity';
import { once } from './once.ts';

/** Where the app runs, as far as its identity depends on it. */
export interface IdentityPlace {
  readonly inAzure: boolean;
  /** Client id of the managed identity; absent: the one that the system assigned. */
  readonly clientId: string | undefined;
}

/**
 * The app's own identity. In Azure its managed identity and nothing else, so that no variable which happens to be set lends it
 * another; on a developer's machine whoever is signed in there. The library is loaded with the first token: most machines never
 * need one.
 */
export function appIdentity(place: IdentityPlace): TokenCredential {
  const credential = once(() => load(place));
  return {
    getToken: async (scopes: string | string[], options?: GetTokenOptions) =>
      (await credential()).getToken(scopes, options),
  };
}

async function load({ inAzure, clientId }: IdentityPlace): Promise<TokenCredential> {
  const { DefaultAzureCredential, ManagedIdentityCredential } = await import('@azure/identity');
  if (!inAzure) return new DefaultAzureCredential();
  return clientId === undefined ? new ManagedIdentityCredential() : new ManagedIdentityCredential({ clientId });
}
