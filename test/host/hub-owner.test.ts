import { expect, onTestFinished, test } from 'vitest';
import { openStore } from '../../local/durable/open-store.ts';
import type { Log } from '../../local/log.ts';
import { startHttp } from '../support/http-server.ts';

test('a hub that cannot be looked at is told of once, without a stack, and once when it is back', async () => {
  let owner = '';
  let state: 'up' | 'down' = 'up';
  const server = await startHttp((request, response) => {
    let body = '';
    request.on('data', (chunk: Buffer) => (body += chunk.toString('utf8')));
    request.on('end', () => {
      if (request.method === 'PUT') owner = body;
      if (state === 'down') response.writeHead(500).end();
      else if (request.method !== 'GET') response.writeHead(204).end();
      else response.writeHead(200, { 'content-type': 'application/json' }).end(owner);
    });
  });
  onTestFinished(() => server.stop());
  const lines: string[] = [];
  const add = (line: string): void => void lines.push(line);
  const log: Log = { info: add, warn: add, error: add, execution: add, app: (_level, _category, line) => add(line) };
  const AzureWebJobsStorage = `DefaultEndpointsProtocol=http;AccountName=a;AccountKey=aw==;TableEndpoint=${server.url}/a`;
  const { close } = await openStore({ AzureWebJobsStorage }, 'hub', log);
  onTestFinished(() => close());
  lines.length = 0;

  state = 'down';
  await expect.poll(() => lines, { timeout: 25_000 }).toHaveLength(1);
  state = 'up';
  await expect.poll(() => lines, { timeout: 25_000 }).toHaveLength(2);
  expect(lines).toEqual([
    expect.stringMatching(/^The task hub cannot be reached; this is tried until it can: .*$/),
    'The task hub can be reached again.',
  ]);
});
