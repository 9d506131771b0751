import { lookup } from 'node:dns/promises';
import { appendFile, readFile, writeFile } from 'node:fs/promises';
import { STORAGE_HOST } from '../../cli/certificate.ts';

const HOSTS = '/etc/hosts';
const LINE = `127.0.0.1 ${STORAGE_HOST}`;

/**
 * Runs something while the client can resolve the emulator's host name. Many resolvers know no names under `.localhost`: the
 * line of /etc/hosts is added and removed again where we may; elsewhere this throws and prints the line.
 */
export async function withStorageHost<T>(use: () => Promise<T>): Promise<T> {
  if (await resolves()) return use();
  try {
    await appendFile(HOSTS, `${LINE}\n`);
  } catch (error) {
    throw new Error(`${STORAGE_HOST} does not resolve and ${HOSTS} cannot be written. Add this line to it:\n${LINE}`, {
      cause: error,
    });
  }
  try {
    return await use();
  } finally {
    const lines = (await readFile(HOSTS, 'utf8')).split('\n');
    await writeFile(HOSTS, lines.filter((line) => line !== LINE).join('\n'));
  }
}

async function resolves(): Promise<boolean> {
  try {
    await lookup(STORAGE_HOST);
    return true;
  } catch (error) {
    if (error instanceof Error && 'code' in error && (error.code === 'ENOTFOUND' || error.code === 'EAI_AGAIN'))
      return false;
    throw error;
  }
}
