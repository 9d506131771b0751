import { isAbsolute, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { JobFault } from '../domain/errors.ts';
import { readMeta, readTexts } from './mlflow-runs.ts';
import { foldersIn } from './plain-files.ts';

/** A version of a model that the code of a step registered, and where its files lie on this machine. */
export interface RegisteredModel {
  readonly name: string;
  /** As MLflow counted in this step, from 1. */
  readonly version: number;
  readonly description: string | null;
  readonly tags: Readonly<Record<string, string>>;
  /** Not checked: the code wrote it. */
  readonly folder: string;
}

const VersionMeta = z.object({
  name: z.string(),
  version: z.number(),
  description: z.string().nullish(),
  source: z.string(),
  storage_location: z.string().nullish(),
});

const MAX_TAG = 4_096;

/**
 * The versions in MLflow's registry of files, `models/<name>/version-<n>/meta.yaml`, by name and number. Throws JobFault when it
 * cannot be read or a model's files are elsewhere.
 */
export async function readRegistered(registry: string, store: string): Promise<RegisteredModel[]> {
  const models: RegisteredModel[] = [];
  for (const name of await foldersIn(join(registry, 'models'))) {
    const folder = join(registry, 'models', name);
    for (const version of (await foldersIn(folder)).filter((entry) => entry.startsWith('version-'))) {
      const meta = await readMeta(join(folder, version), VersionMeta);
      if (!meta) continue;
      models.push({
        name: meta.name,
        version: meta.version,
        description: meta.description ?? null,
        tags: await readTexts(join(folder, version, 'tags'), MAX_TAG),
        folder: await filesOf(meta, store),
      });
    }
  }
  return models.sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : a.version - b.version));
}

async function filesOf(meta: z.infer<typeof VersionMeta>, store: string): Promise<string> {
  const place = meta.storage_location ?? meta.source;
  if (isAbsolute(place)) return place;
  if (URL.canParse(place) && /^file:\/{3}[^/]/.test(place)) return fileURLToPath(place);
  const logged = /^(models|runs):\/+([\w-]+)(?:\/(.*))?$/.exec(place);
  const [, kind, id = '', path = ''] = logged ?? [];
  for (const experiment of kind === undefined ? [] : await foldersIn(store)) {
    const folder = kind === 'models' ? join(store, experiment, 'models') : join(store, experiment);
    if ((await foldersIn(folder)).includes(id)) return join(folder, id, 'artifacts', path);
  }
  throw new JobFault(
    'ModelNotFound',
    `The step registered model '${meta.name}' from '${place.slice(0, 200)}', which is not in its own MLflow store.`,
  );
}
