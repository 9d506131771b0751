import { createHmac, createSecretKey } from 'node:crypto';
import type { PipelinePolicy, PipelineRequest } from '@azure/core-rest-pipeline';

/** Signs GET requests with an account's key (base64). The key is read once: the SDK's credential reads it for each signature. */
export function sharedKeyPolicy(account: string, accountKey: string): PipelinePolicy {
  const key = createSecretKey(accountKey, 'base64');
  return {
    name: 'batchpointSharedKey',
    sendRequest(request, next) {
      request.headers.set('x-ms-date', new Date().toUTCString());
      const signature = createHmac('sha256', key).update(textToSign(account, request)).digest('base64');
      request.headers.set('authorization', `SharedKey ${account}:${signature}`);
      return next(request);
    },
  };
}

/**
 * What the signature of a GET covers: its conditions, its `x-ms-` headers, the path as it is sent and the parameters as they are meant.
 * https://learn.microsoft.com/rest/api/storageservices/authorize-with-shared-key#constructing-the-signature-string
 */
function textToSign(account: string, { headers, url }: PipelineRequest): string {
  const { pathname, searchParams } = new URL(url);
  const own = [...headers].filter(([name]) => name.startsWith('x-ms-')).map(([name, value]) => `${name}:${value}`);
  const parameters = [...searchParams].map(([name, value]) => `${name}:${value}`);
  // Language, encoding, length, hash and type of a body, the date that x-ms-date stands for, and the conditions that are never sent.
  const before = ['GET', '', '', '', '', '', '', '', headers.get('if-match') ?? '', '', '', ''];
  return [...before, ...own.sort(), `/${account}${pathname}`, ...parameters.sort()].join('\n');
}
