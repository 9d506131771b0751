import { Agent as PlainAgent } from 'node:http';
import { Agent as SecureAgent } from 'node:https';

/**
 * Idle connections are closed by us, and before storage closes them: a request that meets such a closing is lost, and a conditional
 * write is not sent twice. Node heeds the time that a server names (`Keep-Alive: timeout=5`) only with an agent that has a limit itself.
 */
const options = { keepAlive: true, timeout: 60_000 };
const plain = new PlainAgent(options);
const secure = new SecureAgent(options);

const PROXY_SETTINGS = ['HTTPS_PROXY', 'HTTP_PROXY', 'ALL_PROXY'];

/** Where the environment names a proxy, the SDK makes connections through it, unless it is given some. */
const isBehindProxy = (): boolean =>
  PROXY_SETTINGS.some((name) => process.env[name] || process.env[name.toLowerCase()]);

/** Azurite, which no proxy can reach. */
const isHere = (url: string): boolean => /^https?:\/\/(?:localhost|127\.[\d.]+|\[::1\])[:/]/i.test(url);

/** The connections of this process to the scheme of `url`, as an option of the SDK's clients. */
export const connectionsTo = (url: string): { readonly agent?: PlainAgent | SecureAgent } =>
  isBehindProxy() && !isHere(url) ? {} : { agent: url.startsWith('https:') ? secure : plain };
