import { randomBytes } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { expect, it } from 'vitest';
import { ensureCertificate } from '../../cli/certificate.ts';
import { localWrapping } from '../../shared/storage/sealing/local-wrapping.ts';
import { vaultWrapping } from '../../shared/storage/sealing/vault-wrapping.ts';
import { startVault } from '../support/key-vault.ts';
import { keyWrappingContract } from './key-wrapping.ts';

/** A vault on this machine; `wrapping` of one of its keys as the app would use it. */
async function openVault() {
  const folder = await mkdtemp(join(tmpdir(), 'batchpoint-vault-'));
  const certificate = await ensureCertificate(folder);
  setDefaultCACertificates([...getCACertificates('default'), await readFile(certificate.ca, 'utf8')]);
  const tls = { cert: await readFile(certificate.cert, 'utf8'), key: await readFile(certificate.key, 'utf8') };
  const vault = await startVault('the-token', tls);
  const scopes: string[] = [];
  const credential = {
    getToken: async (scope: string | string[]) => {
      scopes.push(...[scope].flat());
      return { token: 'the-token', expiresOnTimestamp: Date.now() + 3_600_000 };
    },
  };
  // Its host is no subdomain of what its challenge names, as a vault's is.
  const wrapping = (keyId: string) => vaultWrapping(keyId, credential, { disableChallengeResourceVerification: true });
  const close = async () => {
    await vault.stop();
    await rm(folder, { recursive: true });
  };
  return { vault, scopes, wrapping, close };
}

keyWrappingContract('a secret of the app', async () => ({
  wrapping: localWrapping(async () => Buffer.alloc(32, 1)),
  other: localWrapping(async () => Buffer.alloc(32, 2)),
  close: async () => undefined,
}));

keyWrappingContract('Key Vault', async () => {
  const { vault, wrapping, close } = await openVault();
  return { wrapping: wrapping(vault.keyId('sealing')), other: wrapping(vault.keyId('other')), close };
});

it('a key of Key Vault that is rotated opens what it sealed before, and another key of the vault is not asked', async () => {
  const { vault, scopes, wrapping, close } = await openVault();
  try {
    const sealing = wrapping(vault.keyId('sealing'));
    const key = randomBytes(32);
    const before = await sealing.wrap(key);
    expect(before.keyId).toMatch(/\/keys\/sealing\/[0-9a-f]{32}$/);
    vault.rotate('sealing');
    const fresh = wrapping(vault.keyId('sealing'));
    expect((await fresh.wrap(key)).keyId).not.toBe(before.keyId);
    expect([...(await fresh.unwrap(before))]).toEqual([...key]);
    const others = await wrapping(vault.keyId('other')).wrap(key);
    const asked = vault.asked.length;
    await expect(fresh.unwrap(others)).rejects.toMatchObject({ status: 400, code: 'KeyNotFound' });
    expect(vault.asked).toHaveLength(asked);
    expect(new Set(scopes)).toEqual(new Set(['https://vault.invalid/.default']));
  } finally {
    await close();
  }
});
