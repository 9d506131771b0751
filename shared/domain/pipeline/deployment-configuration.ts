import { z } from 'zod';
import { caselessEnum, caselessObject, textMap } from '../caseless.ts';
import { pipelineSettings } from './settings.ts';
import { assetReference } from './wire.ts';

/**
 * `deploymentConfiguration` of a deployment (contract 3.2): a pipeline component behind an endpoint. With `job_definition` the
 * client first makes a component that names the job (`sourceJobId`), so that this is always a component.
 */
export const DeploymentConfiguration = caselessObject({
  deploymentConfigurationType: caselessEnum(['PipelineComponent']),
  componentId: caselessObject({
    referenceType: caselessEnum(['Id']).default('Id'),
    assetId: assetReference('component', 'components'),
  }),
  /** Texts and booleans, in YAML's names: returned as they were sent. */
  settings: z.preprocess((value) => value ?? {}, textMap),
  description: z.string().nullable().optional(),
  tags: textMap.optional(),
}).transform(({ componentId, settings, description, tags }, context) => {
  const read = pipelineSettings.safeParse(settings);
  for (const { path, message } of read.error?.issues ?? [])
    context.addIssue({ code: 'custom', path: ['settings', ...path], message, input: settings });
  return {
    component: componentId.assetId,
    sentSettings: settings,
    settings: read.data ?? {},
    description: description ?? null,
    tags: tags ?? {},
  };
});
export type DeploymentConfiguration = z.infer<typeof DeploymentConfiguration>;
