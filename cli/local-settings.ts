import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';

const SettingsFile = z.looseObject({ Values: z.record(z.string(), z.string()) });

/** Makes local.settings.json from the sample if it is missing, with the public keys of this machine's token issuer in it. */
export async function ensureLocalSettings(project: string, jwks: string): Promise<void> {
  const sample = SettingsFile.parse(JSON.parse(await readFile(join(project, 'local.settings.sample.json'), 'utf8')));
  const made = { ...sample, Values: { ...sample.Values, BATCHPOINT_DEV_JWKS: jwks } };
  try {
    await writeFile(join(project, 'local.settings.json'), `${JSON.stringify(made, null, 2)}\n`, { flag: 'wx' });
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
  }
}
