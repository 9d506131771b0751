import 'reflect-metadata';
import { webcrypto, X509Certificate as NodeCertificate } from 'node:crypto';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  AuthorityKeyIdentifierExtension,
  BasicConstraintsExtension,
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  KeyUsageFlags,
  KeyUsagesExtension,
  PemConverter,
  SubjectAlternativeNameExtension,
  SubjectKeyIdentifierExtension,
  X509CertificateGenerator,
  type Extension,
} from '@peculiar/x509';

/**
 * The name under which clients that know only Azure's host names find the emulator's account: azure-storage-blob wants `.blob.core.`,
 * and Azurite takes the first label as the account.
 */
export const STORAGE_HOST = 'devstoreaccount1.blob.core.localhost';

const NAMES = ['localhost', STORAGE_HOST];
const ADDRESSES = ['127.0.0.1', '::1'];

const DAY_MS = 86_400_000;
const LIFETIME_DAYS = 365;
const RENEWED_DAYS_BEFORE = 30;
const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };

/** Paths of PEM files. */
export interface CertificateFiles {
  /** What clients have to trust. */
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
}

/**
 * A certificate for this machine's own names, signed by an authority of its own, kept in a folder and made when it is absent or
 * within 30 days of its end. The authority's key is never written: nobody can sign another name with what clients trust.
 */
export async function ensureCertificate(folder: string): Promise<CertificateFiles> {
  const files = { ca: join(folder, 'ca.pem'), cert: join(folder, 'localhost.pem'), key: join(folder, 'localhost.key') };
  if (await isGood(files)) return files;
  await mkdir(folder, { recursive: true });
  const made = await makeCertificate();
  await replace(files.ca, made.ca, 0o644);
  await replace(files.key, made.key, 0o600);
  await replace(files.cert, made.cert, 0o644);
  return files;
}

/** Whether the three files belong together and last a while. */
async function isGood({ ca, cert, key }: CertificateFiles): Promise<boolean> {
  try {
    const [authority, leaf] = [new NodeCertificate(await readFile(ca)), new NodeCertificate(await readFile(cert))];
    await readFile(key);
    const left = new Date(leaf.validTo).getTime() - Date.now();
    return (
      left > RENEWED_DAYS_BEFORE * DAY_MS &&
      leaf.verify(authority.publicKey) &&
      leaf.checkHost(STORAGE_HOST) !== undefined
    );
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return false;
    throw error;
  }
}

async function makeCertificate(): Promise<{ ca: string; cert: string; key: string }> {
  const [authority, leaf] = [await keyPair(), await keyPair()];
  const issuer = 'CN=Batchpoint development authority';
  const ca = await sign(issuer, issuer, authority, authority, [
    new BasicConstraintsExtension(true, 0, true),
    new KeyUsagesExtension(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign, true),
  ]);
  const cert = await sign('CN=localhost', issuer, leaf, authority, [
    new BasicConstraintsExtension(false, undefined, true),
    new KeyUsagesExtension(KeyUsageFlags.digitalSignature, true),
    new ExtendedKeyUsageExtension([ExtendedKeyUsage.serverAuth]),
    new SubjectAlternativeNameExtension([
      ...NAMES.map((value) => ({ type: 'dns' as const, value })),
      ...ADDRESSES.map((value) => ({ type: 'ip' as const, value })),
    ]),
  ]);
  const key = PemConverter.encode(await webcrypto.subtle.exportKey('pkcs8', leaf.privateKey), 'PRIVATE KEY');
  return { ca, cert, key };
}

const keyPair = () => webcrypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify']);

/** Both key identifiers: Python 3.13 and later refuse a chain without them (VERIFY_X509_STRICT). */
async function sign(
  subject: string,
  issuer: string,
  { publicKey }: webcrypto.CryptoKeyPair,
  authority: webcrypto.CryptoKeyPair,
  extensions: readonly Extension[],
): Promise<string> {
  const now = Date.now();
  const certificate = await X509CertificateGenerator.create({
    subject,
    issuer,
    publicKey,
    signingKey: authority.privateKey,
    signingAlgorithm: ALGORITHM,
    notBefore: new Date(now - DAY_MS),
    notAfter: new Date(now + LIFETIME_DAYS * DAY_MS),
    extensions: [
      ...extensions,
      await SubjectKeyIdentifierExtension.create(publicKey),
      await AuthorityKeyIdentifierExtension.create(authority.publicKey),
    ],
  });
  return `${certificate.toString('pem')}\n`;
}

/** The file appears whole or not at all. */
async function replace(path: string, text: string, mode: number): Promise<void> {
  const draft = `${path}.${process.pid}`;
  await writeFile(draft, text, { mode });
  await rename(draft, path);
}
