import { z } from 'zod';
import { caselessEnum, caselessObject, numeric, textMap } from './caseless.ts';
import { instanceFields, settingsFields } from './invocation-settings.ts';
import { DeploymentConfiguration } from './pipeline/deployment-configuration.ts';

/** Bodies of the management plane (contract 3). What Azure ML knows and this app has no use for is taken and left. */

const resource = { tags: textMap.optional() };
const described = { description: z.string().nullable().optional(), properties: textMap.optional() };

export const EndpointBody = caselessObject({
  ...resource,
  properties: caselessObject({
    ...described,
    authMode: caselessEnum(['AADToken'], { aad_token: 'AADToken' }).optional(),
    /** Null takes the default away; absent leaves it. */
    defaults: caselessObject({ deploymentName: z.string().nullable().optional() }).optional(),
  }).optional(),
});
export type EndpointBody = z.infer<typeof EndpointBody>;

export const DeploymentBody = caselessObject({
  ...resource,
  properties: caselessObject({
    ...described,
    ...settingsFields,
    resources: caselessObject(instanceFields).optional(),
    model: caselessObject({
      referenceType: caselessEnum(['Id', 'DataPath', 'OutputPath']).default('Id'),
      assetId: z.string().min(1).max(1024).optional(),
    }).optional(),
    outputAction: caselessEnum(['AppendRow', 'SummaryOnly'], {
      append_row: 'AppendRow',
      summary_only: 'SummaryOnly',
    }).optional(),
    compute: z.string().nullable().optional(),
    environmentId: z.string().min(1).max(1024).nullable().optional(),
    environmentVariables: textMap.optional(),
    /** Null takes the code away; absent leaves it. */
    codeConfiguration: caselessObject({
      codeId: z.string().max(1024).nullable().default(null),
      scoringScript: z.string().min(1).max(1024),
    })
      .nullable()
      .optional(),
    /** A pipeline component in place of a model. */
    deploymentConfiguration: DeploymentConfiguration.optional(),
  }).optional(),
});
export type DeploymentBody = z.infer<typeof DeploymentBody>;

/** `limit`, `$top` and `count` of lists: how many a page may hold. */
export const PageSize = numeric(z.int().min(1).max(1000));
