import { badRequest } from './errors.ts';
import { EXTENSION_PREFIX } from './settings.ts';

/** What a deployment's properties may say and an invocation's may not, as `batchpoint.<name>`. */
export const DEPLOYMENT_EXTENSIONS = ['watch', 'inputs', 'outputs'] as const;
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
