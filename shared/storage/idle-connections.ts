import { Agent as PlainAgent } from 'node:http';
import { Agent as SecureAgent } from 'node:https';

/**
 * Idle connections are closed by us, and before storage closes them: a request that meets such a closing is lost, and a conditional
 * write is not sent twice. Node heeds the time that a server names (`Keep-Alive: timeout=5`) only with an agent that has a limit itself.
 */
const options = { keepAlive: true, timeout: 60_000 };
const plain = new PlainAgent(options);
const secure = new SecureAgent(options);

/** The connections of this process to the scheme of `url`, as an option of the SDK's clients. */
export const connectionsTo = (url: string): { readonly agent: PlainAgent | SecureAgent } => ({
  agent: url.startsWith('https:') ? secure : plain,
});
