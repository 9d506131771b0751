import { mkdtemp, rm } from 'node:fs/promises';
import { readFileSync } from 'node:fs';
import { request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { z } from 'zod';
import { ensureCertificate, type CertificateFiles } from '../../cli/certificate.ts';
import { startHost, startRefused, type TestHost } from './start-host.ts';

let folder: string;
let files: CertificateFiles;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'batchpoint-https-'));
  files = await ensureCertificate(folder);
});
afterAll(() => rm(folder, { recursive: true }));

async function withHost<T>(app: string, use: (host: TestHost) => Promise<T>): Promise<T> {
  const host = await startHost(app, {}, ['--cert', files.cert, '--key', files.key]);
  try {
    return await use(host);
  } finally {
    await host.stop();
  }
}

/** Calls the host as a client that trusts the certificate's authority; answers the body, parsed. */
async function call(host: TestHost, path: string, body?: object): Promise<unknown> {
  const method = body === undefined ? 'GET' : 'POST';
  const text = await new Promise<string>((resolve, reject) => {
    const sent = request(
      { port: host.port, host: 'localhost', path, method, ca: readFileSync(files.ca) },
      (response) => {
        let read = '';
        response.setEncoding('utf8').on('data', (chunk: string) => (read += chunk));
        response.once('end', () => resolve(read));
      },
    );
    sent.once('error', reject).end(body === undefined ? undefined : JSON.stringify(body));
  });
  return JSON.parse(text);
}

const Answer = z.object({ answer: z.unknown() });

test('a function sees https in its URL', async () => {
  await withHost('http', async (host) => {
    expect(await call(host, '/api/any/thing?a=1')).toMatchObject({
      url: `https://localhost:${host.port}/api/any/thing?a=1`,
    });
  });
});

test('plain HTTP is not answered on its port', async () => {
  await withHost('http', async (host) => {
    await expect(fetch(`http://localhost:${host.port}/api/any/thing`)).rejects.toThrow('fetch failed');
  });
});

test('Durable works without trusting the certificate, and its links are https', async () => {
  await withHost('durable', async (host) => {
    const { answer: id } = Answer.parse(await call(host, '/client/start/nothing', {}));
    expect(id).toEqual(expect.any(String));
    const links = Answer.parse(await call(host, `/client/links/${String(id)}`, {})).answer;
    expect(links).toMatchObject({
      statusQueryGetUri: expect.stringMatching(
        `^https://localhost:${host.port}/runtime/webhooks/durabletask/`,
      ) as string,
    });
  });
});

test('a certificate without its key is refused', async () => {
  expect(await startRefused('http', {}, ['--cert', files.cert])).toEqual({
    code: 1,
    stderr: '--cert and --key belong together.\n',
  });
});
