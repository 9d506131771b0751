import { badRequest } from './errors.ts';
import { EXTENSION_PREFIX } from './settings.ts';

/** What a deployment's properties may say and an invocation's may not, as `batchpoint.<name>`. */
export const DEPLOYMENT_EXTENSIONS = ['watch', 'inputs', 'outputs', 'runAs'] as const;
export type DeploymentExtension = (typeof DEPLOYMENT_EXTENSIONS)[number];

/** A property's text, and the field that holds it. Names are in any case; throws ApiError 400 for one that is given twice. */
export function deploymentExtension(
  properties: Readonly<Record<string, string>>,
  name: DeploymentExtension,
): { readonly text: string; readonly target: string } | undefined {
  const [found, ...more] = Object.entries(properties).filter(
    ([written]) => written.toLowerCase() === `${EXTENSION_PREFIX}${name}`.toLowerCase(),
  );
  if (!found) return undefined;
  const [written, text] = found;
  const target = `properties.properties.${written}`;
  if (more.length > 0) throw badRequest(`${target}: is given twice`, target);
  return { text, target };
}

/** As whom the jobs of a deployment read and write data. */
export type RunAs = 'app' | 'invoker';

/** `batchpoint.runAs`; the app without. Throws ApiError 400 for anything else, and for a watch or a pipeline, whose jobs have no invoker. */
export function runAsOf({
  properties,
  isPipeline,
}: {
  readonly properties: Readonly<Record<string, string>>;
  readonly isPipeline: boolean;
}): RunAs {
  const found = deploymentExtension(properties, 'runAs');
  if (!found || found.text === 'app') return 'app';
  const { text, target } = found;
  if (text !== 'invoker') throw badRequest(`${target}: must be 'invoker' or 'app'`, target);
  if (isPipeline)
    throw badRequest(
      `${target}: must be 'app': the steps of a pipeline run long after its invocation, as the app`,
      target,
    );
  if (deploymentExtension(properties, 'watch'))
    throw badRequest(`${target}: must be 'app': nobody invokes the jobs of a watch`, target);
  return text;
}
