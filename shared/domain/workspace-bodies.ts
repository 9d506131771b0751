import { z } from 'zod';
import { caselessEnum, caselessObject, numeric, textMap } from './caseless.ts';
import { formatDuration, parseDuration } from './invocation-settings.ts';
import { ScoringSettings } from './settings.ts';

/** Bodies of datastores and computes (contract 3.5). Credentials in them are neither read nor kept. */

export const DatastoreBody = caselessObject({
  properties: caselessObject({
    description: z.string().nullable().optional(),
    tags: textMap.optional(),
    properties: textMap.optional(),
    datastoreType: caselessEnum(['AzureBlob']),
    accountName: z.string(),
    containerName: z.string(),
    isDefault: z.boolean().optional(),
  }),
});
export type DatastoreBody = z.infer<typeof DatastoreBody>;

/** `POST datastores/{name}/listSecrets`: the SDK asks for a secret that expires. */
export const ListSecretsBody = caselessObject({ expirableSecret: z.boolean().default(false) });

/** The most instances that a deployment can ask for. */
export const MAX_NODES = ScoringSettings.shape.instanceCount.unwrap().maxValue ?? Number.MAX_SAFE_INTEGER;

const ScaleSettings = caselessObject({
  minNodeCount: numeric(z.int().min(0).max(MAX_NODES)).default(0),
  maxNodeCount: numeric(z.int().min(0).max(MAX_NODES)),
  nodeIdleTimeBeforeScaleDown: z
    .string()
    .transform((text, context) => {
      const seconds = parseDuration(text);
      if (seconds === undefined)
        context.addIssue({ code: 'custom', message: 'must be an ISO 8601 duration such as PT120S', input: text });
      return formatDuration(seconds ?? 0);
    })
    .default('PT2M'),
}).refine(({ minNodeCount, maxNodeCount }) => minNodeCount <= maxNodeCount, {
  path: ['minNodeCount'],
  message: 'must be at most maxNodeCount',
});

export const ComputeBody = caselessObject({
  location: z.string().optional(),
  tags: textMap.optional(),
  properties: caselessObject({
    computeType: caselessEnum(['AmlCompute']),
    description: z.string().nullable().optional(),
    disableLocalAuth: z.boolean().default(true),
    properties: caselessObject({
      vmSize: z.string().max(100).default('Standard_DS3_v2'),
      vmPriority: caselessEnum(['Dedicated', 'LowPriority'], { low_priority: 'LowPriority' }).default('Dedicated'),
      osType: caselessEnum(['Linux', 'Windows']).default('Linux'),
      enableNodePublicIp: z.boolean().default(true),
      isolatedNetwork: z.boolean().nullable().default(null),
      remoteLoginPortPublicAccess: caselessEnum(['Enabled', 'Disabled', 'NotSpecified']).default('NotSpecified'),
      subnet: caselessObject({ id: z.string().max(1024) })
        .nullable()
        .default(null),
      scaleSettings: ScaleSettings,
    }),
  }),
});
export type ComputeBody = z.infer<typeof ComputeBody>;

/** All that Azure ML lets a client change of a cluster that is there. */
export const ComputePatch = caselessObject({
  tags: textMap.optional(),
  properties: caselessObject({
    properties: caselessObject({ scaleSettings: ScaleSettings }),
  }).optional(),
});
export type ComputePatch = z.infer<typeof ComputePatch>;
