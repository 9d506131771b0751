/** An environment of an Azure ML registry, such as `azureml://registries/azureml/environments/sklearn-1.5/versions/2`. */
const REGISTRY_ID = /^azureml:\/\/registries\/[^/]+\/environments\/[^/]+\/(?:versions|labels)\/[^/]+$/i;

export const isRegistryEnvironment = (id: string): boolean => REGISTRY_ID.test(id);

/** Azure ML's own names: nobody has to register them. */
export const isCurated = (name: string): boolean => /^azureml-./i.test(name);

/** Ids of curated environments also come as their plain name, whose version is then the latest one. */
export function withPrefix(id: string): string {
  const plain = /^(?:azureml:)?(azureml-[^:@/]+)(?:([:@])([^:@/]+))?$/i.exec(id);
  if (!plain) return id;
  const [, name = '', mark = '@', version = 'latest'] = plain;
  return `azureml:${name}${mark}${version}`;
}
