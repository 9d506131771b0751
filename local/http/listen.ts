import { createServer, type RequestListener, type Server } from 'node:http';
import { createServer as createTlsServer } from 'node:https';

export interface Listening {
  readonly port: number;
  /** Ends open connections too. */
  close(): Promise<void>;
}

/** PEM texts; a server that has them speaks HTTPS and nothing else. */
export interface Certificate {
  readonly cert: string;
  readonly key: string;
}

const attempts = 20;

/**
 * As Kestrel, which Azure's host is built on. Node's five seconds are over before a request is read that arrived while
 * the loop was busy, and the connection is reset under it.
 */
const KEEP_ALIVE_MS = 130_000;

class PortTaken extends Error {
  constructor(port: number) {
    super(`Port ${port} is taken. Stop what listens there, or choose another with --port (0 takes a free one).`);
  }
}

/**
 * Listens on 127.0.0.1 and, where the machine has IPv6, on [::1] with the same port, so that `localhost` works
 * whatever it resolves to. Port 0 takes a free one. Rejects when a named port is taken.
 */
export async function listen(port: number, listener: RequestListener, certificate?: Certificate): Promise<Listening> {
  const create = (): Server => (certificate ? createTlsServer(certificate, listener) : createServer(listener));
  for (let attempt = 1; ; attempt++) {
    const ipv4 = await listenOn('127.0.0.1', port, create());
    const chosen = portOf(ipv4);
    try {
      const ipv6 = await listenOn('::1', chosen, create());
      return { port: chosen, close: () => closeAll([ipv4, ipv6]) };
    } catch (error) {
      if (hasCode(error, 'EADDRNOTAVAIL') || hasCode(error, 'EAFNOSUPPORT')) {
        return { port: chosen, close: () => closeAll([ipv4]) };
      }
      await closeAll([ipv4]);
      // Somebody else has this free port on the other address: try the next one.
      if (port !== 0 || !(error instanceof PortTaken) || attempt === attempts) throw error;
    }
  }
}

function listenOn(host: string, port: number, server: Server): Promise<Server> {
  // Long uploads and long handlers are the app's business; the platform's front end is not imitated here.
  server.requestTimeout = 0;
  server.keepAliveTimeout = KEEP_ALIVE_MS;
  const { promise, resolve, reject } = Promise.withResolvers<Server>();
  const refuse = (error: Error): void => reject(hasCode(error, 'EADDRINUSE') ? new PortTaken(port) : error);
  server.once('error', refuse);
  server.listen(port, host, () => {
    server.off('error', refuse);
    resolve(server);
  });
  return promise;
}

function portOf(server: Server): number {
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('The HTTP server has no port.');
  return address.port;
}

async function closeAll(servers: readonly Server[]): Promise<void> {
  await Promise.all(
    servers.map((server) => {
      const { promise, resolve } = Promise.withResolvers<void>();
      server.close(() => resolve());
      server.closeAllConnections();
      return promise;
    }),
  );
}

function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}
