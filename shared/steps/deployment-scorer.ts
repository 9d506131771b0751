import { checkVariables } from '../domain/code-variables.ts';
import type { ModelDeployment } from '../domain/deployment-record.ts';
import { badRequest } from '../domain/errors.ts';
import { extensionsOf } from '../domain/invocation-extensions.ts';
import { checkTimeout } from '../domain/invocation-settings.ts';
import type { DeploymentBody } from '../domain/management.ts';
import { checkMiniBatchSize } from '../domain/mini-batches.ts';
import type { ModelRecord } from '../domain/resources.ts';
import { scorerOf, type Scorer, type ScoringCode } from '../domain/scorer.ts';
import type { Extensions } from '../domain/settings.ts';
import { DEPLOYMENT_EXTENSIONS } from '../domain/deployment-extensions.ts';
import { ModelFault } from '../scoring/engine.ts';
import { CODES, MODELS } from './asset-kinds.ts';
import { referencedEnvironment } from './referenced-environment.ts';
import { referencedVersion, type ReferenceDeps } from './referenced-version.ts';

export interface ScorerDeps extends ReferenceDeps {
  /** Throws ModelFault for what cannot be scored with. */
  prove(scorer: Scorer): Promise<void>;
  /** Seconds that one try of a mini-batch may take, so that it ends within the host's functionTimeout. */
  readonly maxTimeoutSeconds: number;
}

type Sent = NonNullable<DeploymentBody['properties']>;

/** The model that a deployment names. Throws ApiError 400. */
export async function sentModel(deps: ReferenceDeps, sent: Sent['model']): Promise<ModelRecord> {
  if (!sent)
    throw badRequest(
      'properties.model: is required, such as {"referenceType":"Id","assetId":"azureml:<name>:<version>"}.',
      'properties.model',
    );
  if (sent.referenceType !== 'Id')
    throw badRequest(
      `properties.model.referenceType: ${sent.referenceType} is not supported; register the model and use Id.`,
      'properties.model.referenceType',
    );
  const target = 'properties.model.assetId';
  if (sent.assetId === undefined) throw badRequest(`${target}: is required`, target);
  return referencedVersion(deps, MODELS, sent.assetId, target);
}

/** The fields of a deployment's record that say what it scores with besides its model. */
type CodeFields = Pick<
  ModelDeployment,
  'codeConfiguration' | 'code' | 'environmentId' | 'environment' | 'environmentVariables'
>;

/** What a body says of those fields, with what its ids name now. Null takes away. Throws ApiError 400. */
export async function sentCode(deps: ReferenceDeps, sent: Sent): Promise<Partial<CodeFields>> {
  const { codeConfiguration, environmentId, environmentVariables } = sent;
  if (environmentVariables) checkVariables(environmentVariables);
  return {
    ...(codeConfiguration !== undefined && {
      codeConfiguration,
      code: codeConfiguration === null ? undefined : await scoringCode(deps, codeConfiguration),
    }),
    ...(environmentId !== undefined && {
      environmentId,
      environment:
        environmentId === null
          ? undefined
          : await referencedEnvironment(deps, environmentId, 'properties.environmentId'),
    }),
    ...(environmentVariables && { environmentVariables }),
  };
}

const SCRIPT_ENDINGS = ['.py', '.js', '.mjs', '.cjs', '.ts', '.mts'];
const SHOWN_FILES = 20;

async function scoringCode(
  deps: ReferenceDeps,
  { codeId, scoringScript }: NonNullable<Sent['codeConfiguration']>,
): Promise<ScoringCode> {
  const id = 'properties.codeConfiguration.codeId';
  if (codeId === null) throw badRequest(`${id}: is required: the id of the code that the scoring script is in.`, id);
  const { name, version, files } = await referencedVersion(deps, CODES, codeId, id);
  const target = 'properties.codeConfiguration.scoringScript';
  const script = scoringScript.replace(/^(?:\.\/)+/, '');
  if (!files.some(({ path }) => path === script)) {
    const shown = files.slice(0, SHOWN_FILES).map(({ path }) => path);
    const more = files.length > shown.length ? ` and ${files.length - shown.length} more` : '';
    throw badRequest(
      `${target}: '${scoringScript.slice(0, 200)}' is no file of code '${name}' version '${version}', which has: ${shown.join(', ')}${more}.`,
      target,
    );
  }
  if (!SCRIPT_ENDINGS.some((ending) => script.endsWith(ending)))
    throw badRequest(
      `${target}: '${script.slice(0, 200)}' is neither Python nor JavaScript nor TypeScript; its name must end with one of ${SCRIPT_ENDINGS.join(', ')}.`,
      target,
    );
  return { name, version, script };
}

/** Throws ApiError 400 for settings that do not go together, or that the host would not let come true. */
export function checkSettings(
  { settings, code, properties }: Pick<ModelDeployment, 'settings' | 'code' | 'properties'>,
  { maxTimeoutSeconds }: Pick<ScorerDeps, 'maxTimeoutSeconds'>,
): void {
  checkTimeout(settings, maxTimeoutSeconds);
  checkMiniBatchSize(settings, ownExtensions(properties).miniBatchUnit ?? 'files');
  if (settings.outputAction === 'SummaryOnly' && !code)
    throw badRequest(
      'properties.outputAction: SummaryOnly is for a scoring script that writes its own files; without one use AppendRow.',
      'properties.outputAction',
    );
}

/** What a deployment's properties say of its jobs. Throws ApiError 400. */
export const ownExtensions = (properties: Readonly<Record<string, string>>): Partial<Extensions> =>
  extensionsOf(properties, 'properties.properties', DEPLOYMENT_EXTENSIONS);

type Proved = Omit<Parameters<typeof scorerOf>[0], 'extensions'> & Pick<ModelDeployment, 'properties'>;

/** Throws ApiError 400 for a deployment that could not score. */
export async function proveScorer(deps: ScorerDeps, record: Proved): Promise<void> {
  try {
    await deps.prove(scorerOf({ ...record, extensions: ownExtensions(record.properties) }));
  } catch (error) {
    if (error instanceof ModelFault)
      throw badRequest(error.message, record.code ? 'properties.codeConfiguration' : 'properties.model');
    throw error;
  }
}
