import type { JobSpec } from '../../shared/domain/job.ts';
import type { PipelineSpec, PlannedStep } from '../../shared/domain/pipeline/pipeline-job.ts';
import { Extensions, ScoringSettings } from '../../shared/domain/settings.ts';
import { uuidOf } from '../../shared/domain/uuid.ts';

/** A scoring job as it is stored. */
export const scoringSpec = (name: string, change: Partial<JobSpec> = {}): JobSpec => ({
  name,
  displayName: name,
  endpoint: 'Heart',
  deployment: 'blue',
  description: null,
  tags: { a: 'b' },
  properties: {},
  model: { name: 'm', version: '1' },
  settings: ScoringSettings.parse({}),
  extensions: Extensions.parse({}),
  input: {
    name: 'i',
    kind: 'UriFolder',
    uri: 'azureml://datastores/s/paths/x',
    mode: 'ReadOnlyMount',
    description: null,
  },
  output: null,
  createdBy: 'someone',
  createdAt: new Date().toISOString(),
  requestHash: 'h',
  ...change,
});

/** A pipeline job of one step, `only`, as it is stored. Its output `result` is that of the step. */
export function pipelineSpec(
  name: string,
  change: Partial<PipelineSpec> = {},
  step: Partial<PlannedStep> = {},
): PipelineSpec {
  const out = { type: 'uri_folder', uri: `azureml://datastores/s/paths/${name}/out/` } as const;
  return {
    ...{ name, displayName: name, experimentName: 'tests', description: null, tags: {}, properties: {} },
    ...{ endpoint: null, deployment: null, createdBy: 'someone', requestHash: 'h', sent: { inputs: {}, jobs: {} } },
    createdAt: new Date().toISOString(),
    steps: [
      {
        ...{ path: 'only', displayName: 'only', component: 'only', run: uuidOf(name), dependsOn: [], dependents: [] },
        inputs: {},
        outputs: { out },
        work: { kind: 'command', command: 'true', inputNames: [], environmentVariables: {} },
        reusable: true,
        ...step,
      },
    ],
    outputs: { result: { ...out, step: 'only', output: 'out' } },
    continueOnStepFailure: false,
    ...change,
  };
}
