import { z } from 'zod';
import { caselessEnum, numeric } from '../caseless.ts';
import { isEndpointName } from '../management-names.ts';
import { ScoringSettings } from '../settings.ts';
import { text, timeoutSeconds, wireObject } from './wire.ts';

/**
 * A parallel step scores a folder with a deployment of this workspace. In YAML, as `az ml` takes and sends it unchanged:
 *
 *     type: parallel
 *     input_data: ${{inputs.files}}
 *     mini_batch_size: "10"
 *     task: { type: model, model: azureml:<endpoint>/<deployment>, environment: azureml:any:1, append_row_to: ${{outputs.score}} }
 *
 * `azureml:<endpoint>` is the endpoint's default. The client insists on `environment`; the deployment's own is used.
 */

export type ScoringOverrides = Partial<ScoringSettings>;

const rules = ScoringSettings.shape;
const optionalNumber = <Schema extends z.ZodType>(schema: Schema) => numeric(schema).optional();

/** Azure ML's parallel steps and its deployments count tries alike; only the words of their fields differ. */
export const overrideFields = {
  miniBatchSize: optionalNumber(rules.miniBatchSize.unwrap()),
  maxConcurrencyPerInstance: optionalNumber(rules.maxConcurrencyPerInstance.unwrap()),
  errorThreshold: optionalNumber(rules.errorThreshold.unwrap()),
  loggingLevel: caselessEnum(rules.loggingLevel.unwrap().options, { warn: 'Warning' }).optional(),
  retrySettings: wireObject({
    maxRetries: optionalNumber(rules.maxRetries.unwrap()),
    timeout: timeoutSeconds.pipe(rules.timeoutSeconds.unwrap()).optional(),
  }).optional(),
  resources: wireObject({ instanceCount: optionalNumber(rules.instanceCount.unwrap()) }).optional(),
};

interface WireOverrides {
  readonly miniBatchSize?: number | undefined;
  readonly maxConcurrencyPerInstance?: number | undefined;
  readonly errorThreshold?: number | undefined;
  readonly loggingLevel?: ScoringSettings['loggingLevel'] | undefined;
  readonly retrySettings?: { maxRetries?: number | undefined; timeout?: number | undefined } | undefined;
  readonly resources?: { instanceCount?: number | undefined } | undefined;
}

/** Only what was set: everything else is the deployment's. */
export function overridesOf(wire: WireOverrides): ScoringOverrides {
  const { miniBatchSize, maxConcurrencyPerInstance, errorThreshold, loggingLevel } = wire;
  const maxRetries = wire.retrySettings?.maxRetries;
  const timeout = wire.retrySettings?.timeout;
  const instanceCount = wire.resources?.instanceCount;
  return {
    ...(miniBatchSize !== undefined && { miniBatchSize }),
    ...(maxConcurrencyPerInstance !== undefined && { maxConcurrencyPerInstance }),
    ...(errorThreshold !== undefined && { errorThreshold }),
    ...(loggingLevel !== undefined && { loggingLevel }),
    ...(maxRetries !== undefined && { maxRetries }),
    ...(timeout !== undefined && { timeoutSeconds: timeout }),
    ...(instanceCount !== undefined && { instanceCount }),
  };
}

const FORM = 'azureml:<endpoint>/<deployment>, or azureml:<endpoint> for its default';

/** `azureml:<endpoint>/<deployment>`, and the ARM id of a deployment or an endpoint. */
const deploymentReference = text.transform((given, context) => {
  const id = /\/batchEndpoints\/([^/]+)(?:\/deployments\/([^/]+))?\/?$/i.exec(given);
  const plain = /^azureml:([^:/@]+)(?:\/([^:/@]+))?$/i.exec(given);
  const [, endpoint = '', deployment] = id ?? plain ?? [];
  if (isEndpointName(endpoint) && (deployment === undefined || isEndpointName(deployment)))
    return { endpoint, deployment: deployment ?? null };
  context.addIssue({
    code: 'custom',
    message: `'${given.slice(0, 200)}' names no deployment: a parallel step scores with one. Give ${FORM}`,
    input: given,
  });
  return z.NEVER;
});

/** `${{inputs.files}}`: the name in it. */
const referenceTo = (room: 'inputs' | 'outputs') =>
  text.transform((given, context) => {
    const name = new RegExp(`^\\$\\{\\{\\s*${room}\\.([\\w-]+)\\s*\\}\\}$`).exec(given)?.[1];
    if (name !== undefined) return name;
    context.addIssue({ code: 'custom', message: `must be \${{${room}.<name>}}`, input: given });
    return z.NEVER;
  });

export const inputData = referenceTo('inputs');

export const ScoringTask = wireObject({
  type: caselessEnum(['model', 'run_function', 'function']).refine((type) => type === 'model', {
    error: `must be model: a parallel step scores with a deployment (model: ${FORM}). Deploy a scoring script to an endpoint and name it here`,
  }),
  model: deploymentReference,
  appendRowTo: referenceTo('outputs').optional(),
});
