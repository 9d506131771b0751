import { createPrivateKey, X509Certificate } from 'node:crypto';
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect } from 'node:tls';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { ensureCertificate, type CertificateFiles } from '../../cli/certificate.ts';

let folder: string;
let files: CertificateFiles;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'batchpoint-certificate-'));
  files = await ensureCertificate(join(folder, 'first'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const content = (of: CertificateFiles) => Promise.all([of.ca, of.cert, of.key].map((file) => readFile(file, 'utf8')));

/** Whether a client that trusts only our authority accepts the server by this name. */
async function isTrusted(servername: string): Promise<boolean> {
  const [ca, cert, key] = await content(files);
  const server = createServer({ cert, key });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const trusted = await new Promise<boolean>((resolve) => {
    const socket = connect({ port, host: '127.0.0.1', servername, ca }, () => resolve(socket.authorized));
    socket.once('error', () => resolve(false));
    socket.once('close', () => server.close());
    socket.once('secureConnect', () => socket.end());
  });
  server.closeAllConnections();
  return trusted;
}

it.each(['localhost', 'devstoreaccount1.blob.core.localhost'])('is trusted as %s', async (name) => {
  expect(await isTrusted(name)).toBe(true);
});

it('is not trusted by another name', async () => {
  expect(await isTrusted('example.com')).toBe(false);
});

it('is good for the loopback addresses', async () => {
  const leaf = new X509Certificate(await readFile(files.cert));
  expect(leaf.checkIP('127.0.0.1')).toBe('127.0.0.1');
  expect(leaf.checkIP('::1')).toBe('::1');
});

it('keeps its key to its owner and the key of its authority nowhere', async () => {
  expect((await stat(files.key)).mode & 0o777).toBe(0o600);
  const [ca, cert, key] = await content(files);
  expect([ca, cert].join('')).not.toContain('PRIVATE');
  const authority = new X509Certificate(ca ?? '');
  expect(authority.checkPrivateKey(createPrivateKey(key ?? ''))).toBe(false);
});

it('stays as it is until a month before its end, then it is another one', async () => {
  const before = await content(files);
  await ensureCertificate(join(folder, 'first'));
  expect(await content(files)).toEqual(before);
  vi.useFakeTimers({ now: Date.now() + 340 * 86_400_000, toFake: ['Date'] });
  try {
    await ensureCertificate(join(folder, 'first'));
  } finally {
    vi.useRealTimers();
  }
  const after = await content(files);
  expect(after.every((text, index) => text !== before[index])).toBe(true);
});

it('is made anew when one of its files is gone', async () => {
  await rm(files.key);
  await ensureCertificate(join(folder, 'first'));
  const [, cert, key] = await content(files);
  expect(new X509Certificate(cert ?? '').checkPrivateKey(createPrivateKey(key ?? ''))).toBe(true);
});
