import { createServer, request, type Server } from 'node:http';

/** A proxy on the loopback address that counts what passes; storage answers as it would without it. */
export interface CountingProxy {
  readonly port: number;
  count(): number;
  reset(): void;
  stop(): Promise<void>;
}

export async function countingProxy(targetPort: number): Promise<CountingProxy> {
  let requests = 0;
  const server: Server = createServer((incoming, outgoing) => {
    requests++;
    const forwarded = request(
      { host: '127.0.0.1', port: targetPort, method: incoming.method, path: incoming.url, headers: incoming.headers },
      (answer) => {
        outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
        answer.pipe(outgoing);
      },
    );
    forwarded.on('error', (error) => outgoing.destroy(error));
    incoming.pipe(forwarded);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the proxy has no port');
  return {
    port: address.port,
    count: () => requests,
    reset: () => void (requests = 0),
    async stop() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
