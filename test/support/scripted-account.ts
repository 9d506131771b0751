import type { IncomingMessage, ServerResponse } from 'node:http';
import { onTestFinished } from 'vitest';
import { azureBlobs } from '../../shared/storage/azure-blobs.ts';
import { azureQueues } from '../../shared/storage/azure-queues.ts';
import { azureTables } from '../../shared/storage/azure-tables.ts';
import { startHttp } from './http-server.ts';

/** The signature in the account's address: a secret that must not come out again. */
export const SECRET = 'c2lnbmVkLXNlY3JldA==';

export type Handler = (request: IncomingMessage, response: ServerResponse) => void;

/** The real adapters against a server of our own; the address carries a SAS, which no fault may show. */
export async function account(handler: Handler) {
  const requests: string[] = [];
  const server = await startHttp((request, response) => {
    requests.push(`${request.method} ${new URL(request.url ?? '', 'http://x').pathname}`);
    request.resume().on('end', () => handler(request, response));
  });
  onTestFinished(() => server.stop());
  const connection = { serviceUri: `${server.url}/acct?sv=2024-01-01&sig=${encodeURIComponent(SECRET)}` };
  return { ...adapters(connection), requests };
}

/** The adapters of an account. */
export const adapters = (connection: { serviceUri: string }, answerWithinMs = 20_000) => ({
  blobs: azureBlobs(connection, { answerWithinMs }),
  table: azureTables(connection, { answerWithinMs })('things'),
  queue: azureQueues(connection, { answerWithinMs })('things'),
});

/** Refuses as storage does. */
export const answer =
  (status: number, code: string): Handler =>
  (request, response) => {
    response.writeHead(status, {
      'x-ms-error-code': code,
      'x-ms-request-id': 'req-1',
      'content-type': 'application/xml',
    });
    response.end(request.method === 'HEAD' ? undefined : `<Error><Code>${code}</Code><Message>no</Message></Error>`);
  };

/** What a call throws. */
export const caught = (call: Promise<unknown>): Promise<unknown> =>
  call.then(
    () => 'no fault',
    (error: unknown) => error,
  );
