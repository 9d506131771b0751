/** What a deployment says about where its Python code runs. */
export interface EnvironmentNeeds {
  /** As the user knows it: `azureml:heart-env:3`, `AzureML-sklearn-1.5`, a registry's address, or MODEL_REQUIREMENTS. */
  readonly label: string;
  /** A container image. Never run: only its name counts. */
  readonly image: string | null;
  /** Text of a conda YAML file, also of an MLflow model's `conda.yaml`. */
  readonly condaFile: string | null;
  /** Text of a pip requirements file, as of an MLflow model without a conda file. */
  readonly requirements: string | null;
}

/** The label of needs that nobody asked for: an MLflow model brings them along, and any interpreter may do. */
export const MODEL_REQUIREMENTS = "the model's own requirements";

/** Images from which Azure ML's curated environments are made. */
const CURATED_IMAGES = 'mcr.microsoft.com/azureml/';

/** `azureml://registries/azureml/environments/sklearn-1.5/labels/latest`, and the end of a resource id. */
const ADDRESS = /\/environments\/([^/]+)(?:\/(?:versions|labels)\/([^/]+))?\/?$/i;

interface Named {
  readonly name: string;
  readonly version: string | undefined;
}

function parseLabel(label: string): Named {
  const [, name, version] = ADDRESS.exec(label) ?? [];
  if (name !== undefined) return { name, version };
  const [bare = '', at] = label.replace(/^azureml:/i, '').split(/[:@]/, 2);
  return { name: bare, version: at };
}

/** The environment's name without a version: what a line of the map would call it. */
export const bareName = ({ label }: EnvironmentNeeds): string =>
  label === MODEL_REQUIREMENTS ? label : parseLabel(label).name;

/** Every name that the map may know the environment by. */
export function namesOf({ label, image }: EnvironmentNeeds): string[] {
  const { name, version } = parseLabel(label);
  const names = [label, label.replace(/^azureml:/i, ''), name];
  if (version !== undefined) names.push(`${name}:${version}`);
  if (image !== null) names.push(image, image.replace(/[:@][^/]*$/, ''));
  return [...new Set(names)];
}

/** Whether Azure ML made the environment: then this app has no file to make it from, and the default interpreter stands in. */
export function isCurated({ label, image, condaFile }: EnvironmentNeeds): boolean {
  if (condaFile !== null) return false;
  const { name } = parseLabel(label);
  return (
    /^azureml-/i.test(name) ||
    /^azureml:\/\/registries\//i.test(label) ||
    (image?.toLowerCase().startsWith(CURATED_IMAGES) ?? false)
  );
}
