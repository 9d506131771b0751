import { z } from 'zod';
import { ModelReference } from './resources.ts';
import type { Extensions, ScoringSettings } from './settings.ts';

/** The code asset, and the file in it that scores. */
export const ScoringCode = z.object({ name: z.string(), version: z.string(), script: z.string() });
export type ScoringCode = z.infer<typeof ScoringCode>;

/** What is scored with besides a model: a user's code, where it runs, and what it is told. All of it is absent for ONNX. */
export const scorerFields = {
  code: ScoringCode.optional(),
  /** `azureml:<name>:<version>` of this workspace, or the id as sent of one that is not registered here. */
  environment: z.string().optional(),
  environmentVariables: z.record(z.string(), z.string()).optional(),
};

/** What an engine is loaded of: two equal ones share an engine. */
export const Scorer = z.object({
  model: ModelReference,
  ...scorerFields,
  loggingLevel: z.enum(['Debug', 'Info', 'Warning']),
  /** Files are cut into ranges: only the app's own readers can read those. */
  cutsFiles: z.literal(true).optional(),
  /** Mini-batches that user code works on at once in one instance. */
  workers: z.number(),
});
export type Scorer = z.infer<typeof Scorer>;

type ScorerFields = Pick<Scorer, 'code' | 'environment' | 'environmentVariables'>;

/** Those of the optional fields that are there. */
export const scorerFieldsOf = ({ code, environment, environmentVariables }: ScorerFields): ScorerFields => ({
  ...(code && { code }),
  ...(environment !== undefined && { environment }),
  ...(environmentVariables && { environmentVariables }),
});

/** What a job is scored with, from its manifest; or what a deployment's jobs are, with the extensions that it says itself. */
export const scorerOf = (
  manifest: ScorerFields & {
    readonly model: ModelReference;
    readonly settings: ScoringSettings;
    readonly extensions: Partial<Extensions>;
  },
): Scorer => ({
  model: manifest.model,
  ...scorerFieldsOf(manifest),
  loggingLevel: manifest.settings.loggingLevel,
  ...(manifest.extensions.miniBatchUnit !== undefined &&
    manifest.extensions.miniBatchUnit !== 'files' && { cutsFiles: true as const }),
  workers: manifest.settings.maxConcurrencyPerInstance,
});
