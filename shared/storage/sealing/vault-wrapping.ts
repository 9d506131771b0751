import { CryptographyClient, type CryptographyClientOptions } from '@azure/keyvault-keys';
import type { TokenSource } from '../connection.ts';
import { StorageFault } from '../ports.ts';
import { ask } from '../storage-faults.ts';
import type { KeyWrapping } from './key-wrapping.ts';

/** Of Key Vault's algorithms for RSA keys the strongest that it wraps with. */
const ALGORITHM = 'RSA-OAEP-256';

const ANSWER_WITHIN_MS = 30_000;

/**
 * Wraps with a key of Azure Key Vault, named by its id (`https://<vault>/keys/<name>`, or with a version). What was wrapped with an
 * older version can be unwrapped as long as the vault has that version. The app needs the role Key Vault Crypto User.
 */
export function vaultWrapping(
  keyId: string,
  credential: TokenSource,
  options: Pick<CryptographyClientOptions, 'disableChallengeResourceVerification'> = {},
): KeyWrapping {
  const { origin, pathname } = new URL(keyId);
  const name = pathname.split('/')[2] ?? '';
  const versions = `${origin}/keys/${name}/`;
  const clients = new Map<string, CryptographyClient>();
  const clientOf = (id: string): CryptographyClient => {
    const client = clients.get(id) ?? new CryptographyClient(id, credential, options);
    clients.set(id, client);
    return client;
  };
  const limits = { answerWithinMs: ANSWER_WITHIN_MS };
  return {
    async wrap(key) {
      const answer = await ask('wrap a key', limits, (abortSignal) =>
        clientOf(keyId).wrapKey(ALGORITHM, key, { abortSignal }),
      );
      return { keyId: answer.keyID ?? keyId, wrapped: Buffer.from(answer.result).toString('base64') };
    },
    async unwrap({ keyId: wrappedWith, wrapped }) {
      // What the app stores must not lead it, with its token, to another vault.
      if (wrappedWith !== keyId && !wrappedWith.startsWith(versions))
        throw new StorageFault('unwrap a key', 400, 'KeyNotFound');
      const answer = await ask('unwrap a key', limits, (abortSignal) =>
        clientOf(wrappedWith).unwrapKey(ALGORITHM, Buffer.from(wrapped, 'base64'), { abortSignal }),
      );
      return answer.result;
    },
  };
}
