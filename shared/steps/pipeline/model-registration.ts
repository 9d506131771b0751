import type { z } from 'zod';
import type { ModelBody } from '../../domain/asset-bodies.ts';
import { dataUri } from '../../domain/uri.ts';
import type { StagedModel, StepManifest } from './step-manifest.ts';

/** The body by which a model that a step registered with MLflow is registered here, once its files are committed. */
export const modelRegistration = (
  { stepRun }: Pick<StepManifest, 'stepRun'>,
  { type, datastore, path, description, tags }: StagedModel,
): z.infer<typeof ModelBody> => ({
  properties: {
    modelType: type,
    modelUri: dataUri({ datastore, path }),
    flavors: {},
    jobName: stepRun,
    description,
    tags,
  },
});
