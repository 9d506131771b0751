import { z } from 'zod';
import { ModelReference, stored } from './resources.ts';
import { scorerFields } from './scorer.ts';
import { ScoringSettings } from './settings.ts';

/** A scoring script: the code asset's id and the file in it. */
const CodeConfiguration = z.object({ codeId: z.string().nullable(), scoringScript: z.string() });

const base = {
  endpoint: z.string(),
  name: z.string(),
  ...stored,
  settings: ScoringSettings,
  /** As sent, returned as sent: an ARM id or null. */
  compute: z.string().nullable(),
};

/** The extensions are read from `properties` when a job is made: only what the client set is there. */
export const ModelDeployment = z.object({
  ...base,
  model: ModelReference,
  /** As sent, returned as sent. */
  codeConfiguration: CodeConfiguration.nullable(),
  environmentId: z.string().nullable(),
  /** What those two named when they were sent. */
  code: scorerFields.code,
  environment: scorerFields.environment,
  environmentVariables: z.record(z.string(), z.string()),
});
export type ModelDeployment = z.infer<typeof ModelDeployment>;

/** Its settings of scoring have no effect; clients send them, and get them back. */
export const PipelineDeployment = z.object({
  ...base,
  pipeline: z.object({
    component: z.object({ name: z.string(), version: z.string() }),
    /** As sent: texts in YAML's names. */
    settings: z.record(z.string(), z.string()),
    description: z.string().nullable(),
    tags: z.record(z.string(), z.string()),
  }),
});
export type PipelineDeployment = z.infer<typeof PipelineDeployment>;

export const DeploymentRecord = z.union([PipelineDeployment, ModelDeployment]);
export type DeploymentRecord = z.infer<typeof DeploymentRecord>;

export const isPipelineDeployment = (record: DeploymentRecord): record is PipelineDeployment => 'pipeline' in record;
