import { createServer, request, type IncomingMessage, type ServerResponse } from 'node:http';
import { setTimeout as wait } from 'node:timers/promises';

/** What may happen to a request on its way to storage. */
export const FAULTS = ['error', 'busy', 'reset', 'slow', 'lostAnswer'] as const;
export type Fault = (typeof FAULTS)[number];

/** A proxy on the loopback address in front of one storage service. */
export interface FaultProxy {
  readonly port: number;
  stop(): Promise<void>;
}

export interface FaultOptions {
  readonly targetPort: number;
  /** The fault of a request, by its method and path, or none. */
  readonly draw: (method: string, path: string) => Fault | undefined;
}

const SLOW_MS = 300;

/**
 * Passes requests on, some of them with a fault: `error` 500 and `busy` 503 with Retry-After without asking storage, `reset` a
 * line cut before storage hears of it, `lostAnswer` one cut after storage has done it, `slow` an answer that takes its time.
 */
export async function faultProxy({ targetPort, draw }: FaultOptions): Promise<FaultProxy> {
  const server = createServer((incoming, outgoing) => {
    const fault = draw(incoming.method ?? '', incoming.url ?? '');
    incoming.on('error', () => outgoing.destroy());
    if (fault === 'error' || fault === 'busy') refuse(incoming, outgoing, fault);
    else if (fault === 'reset') incoming.socket.resetAndDestroy();
    else forward(incoming, outgoing, targetPort, fault);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the proxy has no port');
  return {
    port: address.port,
    async stop() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function refuse(incoming: IncomingMessage, outgoing: ServerResponse, fault: 'error' | 'busy'): void {
  incoming.resume();
  const code = fault === 'error' ? 'InternalError' : 'ServerBusy';
  const headers = { 'content-type': 'application/xml', 'x-ms-error-code': code };
  outgoing.writeHead(fault === 'error' ? 500 : 503, fault === 'error' ? headers : { ...headers, 'retry-after': '1' });
  outgoing.end(`<?xml version="1.0" encoding="utf-8"?><Error><Code>${code}</Code><Message>A fault.</Message></Error>`);
}

function forward(
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  targetPort: number,
  fault: 'slow' | 'lostAnswer' | undefined,
): void {
  const { method, url: path, headers } = incoming;
  const forwarded = request({ host: '127.0.0.1', port: targetPort, method, path, headers }, (answer) => {
    if (fault === 'lostAnswer') {
      answer.resume();
      answer.once('end', () => incoming.socket.resetAndDestroy());
      return;
    }
    void (fault === 'slow' ? wait(SLOW_MS) : Promise.resolve()).then(() => {
      outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(outgoing);
    });
    answer.on('error', () => outgoing.destroy());
  });
  forwarded.on('error', () => outgoing.destroy());
  outgoing.on('close', () => forwarded.destroy());
  incoming.pipe(forwarded);
}
