import { z } from 'zod';
import { flag, wireObject } from './wire.ts';

/** What a pipeline job, or a deployment of a component, says about the whole run. */
export interface PipelineSettings {
  readonly defaultCompute: string | null;
  readonly defaultDatastore: string | null;
  /** Steps that do not depend on a failed one still run. */
  readonly continueOnStepFailure: boolean;
  /** Steps run again even if nothing they depend on has changed. */
  readonly forceRerun: boolean;
}

/** Only what was sent, so that one layer can lie over another. Unknown names (`_source`, `on_init`) are left. */
const Sent = wireObject({
  defaultCompute: z.string().nullable().optional(),
  defaultDatastore: z.string().nullable().optional(),
  continueOnStepFailure: flag.optional(),
  forceRerun: flag.optional(),
});

export const pipelineSettings = z
  .preprocess((value) => value ?? {}, Sent)
  .transform((sent): Partial<PipelineSettings> => ({
    ...(sent.defaultCompute !== undefined && { defaultCompute: sent.defaultCompute }),
    ...(sent.defaultDatastore !== undefined && { defaultDatastore: sent.defaultDatastore }),
    ...(sent.continueOnStepFailure !== undefined && { continueOnStepFailure: sent.continueOnStepFailure }),
    ...(sent.forceRerun !== undefined && { forceRerun: sent.forceRerun }),
  }));

const DEFAULTS: PipelineSettings = {
  defaultCompute: null,
  defaultDatastore: null,
  continueOnStepFailure: false,
  forceRerun: false,
};

/** Later layers win: the deployment's, then the job's. */
export const layPipelineSettings = (...layers: readonly Partial<PipelineSettings>[]): PipelineSettings =>
  layers.reduce<PipelineSettings>((under, over) => ({ ...under, ...over }), DEFAULTS);
