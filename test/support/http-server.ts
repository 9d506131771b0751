import { createServer, type RequestListener, type Server } from 'node:http';
import { createServer as createSecureServer } from 'node:https';

/** A small HTTP server on a free port. `stop` also ends connections that are still open. */
export const startHttp = (listener: RequestListener): Promise<StartedServer> =>
  started(createServer(listener), 'http:');

/** The same over HTTPS, with a certificate for 127.0.0.1. */
export const startHttps = (listener: RequestListener, tls: { cert: string; key: string }): Promise<StartedServer> =>
  started(createSecureServer(tls, listener), 'https:');

interface StartedServer {
  readonly url: string;
  stop(): Promise<void>;
}

async function started(server: Pick<Server, 'listen' | 'address' | 'close' | 'closeAllConnections'>, scheme: string) {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the server has no port');
  const stop = async (): Promise<void> => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  };
  return { url: `${scheme}//127.0.0.1:${address.port}`, stop };
}
