import { z } from 'zod';
import { caselessEnum, caselessObject, textMap } from './caseless.ts';

/** Bodies of assets and of their containers (contract 3.5). What Azure ML knows and this app has no use for is taken and left. */

const described = {
  description: z.string().nullable().optional(),
  tags: textMap.optional(),
  properties: textMap.optional(),
  isArchived: z.boolean().optional(),
};

const version = <Shape extends z.core.$ZodShape>(content: Shape) =>
  caselessObject({
    properties: caselessObject({ ...described, isAnonymous: z.boolean().optional(), ...content }),
  });

export const AssetContainerBody = caselessObject({ properties: caselessObject(described) });
export type AssetContainerBody = z.infer<typeof AssetContainerBody>;

const text = z.string().min(1);

export const ModelBody = version({
  modelType: caselessEnum(['custom_model', 'mlflow_model', 'triton_model'], {
    custommodel: 'custom_model',
    mlflowmodel: 'mlflow_model',
    tritonmodel: 'triton_model',
  }).default('custom_model'),
  modelUri: text,
  flavors: z.record(z.string(), z.unknown()).default({}),
  jobName: z.string().nullable().default(null),
});

const DATA_TYPES = { urifile: 'uri_file', urifolder: 'uri_folder', ml_table: 'mltable' } as const;

export const DataBody = version({
  dataType: caselessEnum(['uri_file', 'uri_folder', 'mltable'], DATA_TYPES).refine(
    (type) => type !== 'mltable',
    'mltable is not supported by batch endpoints; register the files as uri_folder or uri_file',
  ),
  dataUri: text,
});

export const EnvironmentBody = version({
  image: z.string().nullable().default(null),
  /** The file's text. */
  condaFile: z.string().nullable().default(null),
  build: caselessObject({ contextUri: text, dockerfilePath: z.string().default('Dockerfile') })
    .nullable()
    .default(null),
  osType: caselessEnum(['Linux', 'Windows']).default('Linux'),
  inferenceConfig: z.record(z.string(), z.unknown()).nullable().default(null),
});

export const CodeBody = version({ codeUri: text });

export const ComponentBody = version({ componentSpec: z.record(z.string(), z.unknown()) });

/** A body of any kind once it is read. */
export interface AssetBody {
  readonly properties: {
    readonly description?: string | null | undefined;
    readonly tags?: Readonly<Record<string, string>> | undefined;
    readonly properties?: Readonly<Record<string, string>> | undefined;
    readonly isArchived?: boolean | undefined;
    readonly isAnonymous?: boolean | undefined;
  };
}

/** What a version is made of: all that its body holds but its description, tags, properties and flags. */
export function contentOf({ properties }: AssetBody): Record<string, unknown> {
  const flags = [...Object.keys(described), 'isAnonymous'];
  return Object.fromEntries(Object.entries(properties).filter(([name]) => !flags.includes(name)));
}

/** `POST .../startPendingUpload`. */
export const PendingUploadBody = caselessObject({
  pendingUploadId: z.string().max(256).nullable().optional(),
  pendingUploadType: caselessEnum(['None', 'TemporaryBlobReference']).default('TemporaryBlobReference'),
});
