import { z } from 'zod';
import { isCurated, isRegistryEnvironment } from '../domain/environment-id.ts';
import type { Scorer } from '../domain/scorer.ts';
import type { Registry } from '../storage/registry/resources.ts';
import { ModelFault } from './engine.ts';
import { MODEL_REQUIREMENTS, type EnvironmentNeeds } from './environments/needs.ts';
import { fetchFile, type ModelSource } from './model-kind.ts';

const NOTHING = { image: null, condaFile: null, requirements: null };

/** Of a registered environment, as far as an interpreter can be found for it. */
const Content = z.object({
  image: z.string().nullable(),
  condaFile: z.string().nullable(),
  /** An image that is yet to be built: never run, as no image is. */
  build: z.object({ contextUri: z.string() }).nullable(),
});

/** What an environment asks for; undefined where a deployment names none. Throws ModelFault for one that is gone. */
export async function environmentNeeds(
  { environments }: Pick<Registry, 'environments'>,
  { environment }: Pick<Scorer, 'environment'>,
): Promise<EnvironmentNeeds | undefined> {
  if (environment === undefined) return undefined;
  const [, name = '', version = ''] = /^azureml:([^:@/]+)[:@]([^:@/]+)$/i.exec(environment) ?? [];
  const found = name === '' ? undefined : await environments.get(name, version);
  if (found) {
    const { image, condaFile, build } = Content.parse(found.value.content);
    return { ...NOTHING, label: environment, image: image ?? build?.contextUri ?? null, condaFile };
  }
  if (isRegistryEnvironment(environment) || isCurated(name)) return { ...NOTHING, label: environment };
  throw new ModelFault(`Environment ${environment} is not registered any more.`);
}

/** A script that names no environment takes any interpreter. */
export const NO_ENVIRONMENT: EnvironmentNeeds = { ...NOTHING, label: 'no environment' };

/** What an MLflow model asks for by itself: the files that MLflow writes beside its `MLmodel`, in `folder` of the model. */
export async function modelNeeds(source: ModelSource, folder: string): Promise<EnvironmentNeeds> {
  const text = async (name: string): Promise<string | null> => {
    const path = folder + name;
    if (!source.files.some((file) => file.path === path)) return null;
    return new TextDecoder().decode(await fetchFile(source, path));
  };
  const condaFile = await text('conda.yaml');
  const requirements = condaFile === null ? await text('requirements.txt') : null;
  return { label: MODEL_REQUIREMENTS, image: null, condaFile, requirements };
}
