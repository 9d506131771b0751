import { createServer } from 'node:http';
import { once } from 'node:events';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import { entraIssuers } from '../shared/auth/entra-tokens.ts';
import { tokenVerifier } from '../shared/auth/token-verifier.ts';
import { median, type Figure } from './figure.ts';

const ROUNDS = 20;
const CHECKS = 200;
const TENANT = '00000000-0000-4000-8000-00000000000a';
const CLIENT = '00000000-0000-4000-8000-00000000000b';

/** Processor time that checking a token of Entra ID costs a request once its keys are here; no token is seen twice. */
export async function tokens(_keyFile: string, add: (figure: Figure) => void): Promise<void> {
  const { privateKey, publicKey } = await generateKeyPair('RS256');
  const keys = JSON.stringify({ keys: [{ ...(await exportJWK(publicKey)), kid: 'k', use: 'sig' }] });
  const server = createServer((_request, response) => response.end(keys)).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the server has no port');
  const authority = `http://127.0.0.1:${address.port}`;
  const verify = tokenVerifier({
    issuers: entraIssuers({
      ...{ authority, tenantId: TENANT, clientId: CLIENT, audiences: [], accepted: [] },
      onFault: (error) => {
        throw error;
      },
    }),
  });
  const now = Math.floor(Date.now() / 1000);
  const sign = (number: number): Promise<string> =>
    new SignJWT({
      ...{
        iss: `${authority}/${TENANT}/v2.0`,
        aud: CLIENT,
        nbf: now,
        exp: now + 3600,
        tid: TENANT,
        oid: `o-${number}`,
      },
      ...{ ver: '2.0', azp: 'c', scp: 'user_impersonation', roles: ['Batchpoint.Invoker'], name: 'A Person', uti: 'u' },
    })
      .setProtectedHeader({ alg: 'RS256', typ: 'JWT', kid: 'k' })
      .sign(privateKey);
  const times: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const signed = await Promise.all(Array.from({ length: CHECKS }, (_, index) => sign(round * CHECKS + index)));
    const before = process.cpuUsage();
    for (const token of signed) await verify(token, ['scoring']);
    const { user, system } = process.cpuUsage(before);
    times.push((user + system) / 1000 / CHECKS);
  }
  server.closeAllConnections();
  server.close();
  add({ name: 'token_ms', value: median(times.slice(1)), unit: 'ms', target: { atMost: 0.2 } });
}
