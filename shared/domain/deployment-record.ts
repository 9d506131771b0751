import { z } from 'zod';
import { ModelReference, stored } from './resources.ts';
import { scorerFields } from './scorer.ts';
import { ScoringSettings } from './settings.ts';

/** A scoring script: the code asset's id and the file in it. */
const CodeConfiguration = z.object({ codeId: z.string().nullable(), scoringScript: z.string() });

export const DeploymentRecord = z.object({
  endpoint: z.string(),
  name: z.string(),
  ...stored,
  model: ModelReference,
  /** The extensions are read from `properties` when a job is made: only what the client set is there. */
  settings: ScoringSettings,
  /** As sent, returned as sent: an ARM id or null. */
  compute: z.string().nullable(),
  /** As sent, returned as sent. */
  codeConfiguration: CodeConfiguration.nullable(),
  environmentId: z.string().nullable(),
  /** What those two named when they were sent. */
  code: scorerFields.code,
  environment: scorerFields.environment,
  environmentVariables: z.record(z.string(), z.string()),
});
export type DeploymentRecord = z.infer<typeof DeploymentRecord>;
