import { describe, expect, it } from 'vitest';
import { ApiError } from '../../../../shared/domain/errors.ts';
import { parseComponentSpec } from '../../../../shared/domain/pipeline/component-spec.ts';
import { body, WORKSPACE } from './fixtures.ts';

const spec = (name: string) => parseComponentSpec(body(name).properties['componentSpec']);

/** The faults of a spec, as an answer tells them. */
function faults(value: unknown): string[] {
  try {
    parseComponentSpec(value, 'spec');
  } catch (error) {
    if (error instanceof ApiError) return error.details.map(({ message }) => message);
    throw error;
  }
  return [];
}

const literal = (type: string, more: object = {}) => ({ kind: 'literal', type, optional: false, ...more });
const path = (type: string, optional = false) => ({ kind: 'path', type, optional });

describe('a command component as the client sends it', () => {
  it('is read whole', () => {
    expect(spec('command-component')).toEqual({
      type: 'command',
      name: 'heart_prepare',
      version: '3',
      displayName: 'Prepare heart data',
      description: 'Encodes categories and scales numbers.',
      tags: { team: 'cardiology' },
      inputs: {
        data: path('uri_folder'),
        transformations: path('custom_model', true),
        categorical_encoding: literal('string', { default: 'ordinal', enum: ['ordinal', 'onehot'] }),
        eval_size: literal('number', { default: '0.2', min: 0.05, max: 0.5 }),
        rows: literal('integer', { default: '100', min: 1 }),
        shuffle: literal('boolean', { default: 'True' }),
      },
      outputs: { prepared_data: { type: 'uri_folder' }, transformations_output: { type: 'custom_model' } },
      command:
        'python prepare.py --data ${{inputs.data}} $[[--transformations ${{inputs.transformations}}]] --encoding ${{inputs.categorical_encoding}} --rows ${{inputs.rows}} --prepared ${{outputs.prepared_data}} --out ${{outputs.transformations_output}}',
      code: expect.stringMatching(new RegExp(`^${WORKSPACE}/codes/[0-9a-f-]+/versions/1$`)) as string,
      environment: { reference: `${WORKSPACE}/environments/heart-env/versions/4` },
      environmentVariables: {},
      isDeterministic: true,
      timeoutSeconds: 300,
    });
  });

  it('may have an environment of its own, and say that it is not deterministic', () => {
    expect(spec('command-component-inline-environment')).toMatchObject({
      isDeterministic: false,
      environment: {
        reference: expect.stringContaining(`${WORKSPACE}/environments/CliV2AnonymousEnvironment/versions/`) as string,
      },
    });
  });
});

describe('a parallel component as the client sends it', () => {
  it('names the deployment that scores, and what it changes of its settings', () => {
    expect(spec('parallel-component')).toEqual({
      type: 'parallel',
      name: 'heart_score',
      version: '1',
      displayName: null,
      description: null,
      tags: {},
      inputs: { files: path('uri_folder') },
      outputs: { score: { type: 'uri_folder' } },
      isDeterministic: true,
      endpoint: 'heart-of-all',
      deployment: 'blue',
      data: 'files',
      score: 'score',
      overrides: {
        miniBatchSize: 5,
        maxConcurrencyPerInstance: 2,
        errorThreshold: 3,
        loggingLevel: 'Warning',
        maxRetries: 2,
        timeoutSeconds: 60,
        instanceCount: 2,
      },
    });
  });

  it('with a script is refused, and the answer says what to do', () => {
    expect(faults(body('parallel-script').properties['componentSpec'])).toEqual([
      'spec.task.type: must be model: a parallel step scores with a deployment (model: azureml:<endpoint>/<deployment>, or azureml:<endpoint> for its default). Deploy a scoring script to an endpoint and name it here',
      'spec.task.model: is required',
    ]);
  });
});

describe('a pipeline component as the client sends it', () => {
  it('is read whole', () => {
    const step = {
      type: 'command',
      displayName: null,
      compute: null,
      environment: null,
      environmentVariables: {},
      overrides: {},
      outputs: {},
    };
    expect(spec('pipeline-component')).toMatchObject({
      type: 'pipeline',
      name: 'heart_training',
      version: '1',
      displayName: 'Heart training',
      inputs: {
        raw: path('uri_folder'),
        encoding: literal('string', { default: 'ordinal', enum: ['ordinal', 'onehot'] }),
        fraction: literal('number', { default: '0.3' }),
      },
      outputs: { model: { type: 'mlflow_model' }, evaluation_results: { type: 'uri_folder' } },
      jobs: {
        prepare: {
          ...step,
          component: {
            reference: expect.stringContaining(`${WORKSPACE}/components/azureml_anonymous/versions/`) as string,
          },
          inputs: {
            data: { kind: 'value', value: '${{parent.inputs.raw}}' },
            categorical_encoding: { kind: 'value', value: '${{parent.inputs.encoding}}' },
            rows: { kind: 'value', value: '50' },
          },
        },
        train: {
          ...step,
          component: { reference: `${WORKSPACE}/components/heart_train/versions/1` },
          compute: `${WORKSPACE}/computes/cpu`,
          environmentVariables: { OMP_NUM_THREADS: '2' },
          inputs: {
            data: { kind: 'value', value: '${{parent.jobs.prepare.outputs.prepared_data}}' },
            eval_size: { kind: 'value', value: '${{parent.inputs.fraction}}' },
            target_column: { kind: 'value', value: 'target-${{parent.inputs.encoding}}' },
          },
          outputs: {
            model: { value: '${{parent.outputs.model}}' },
            evaluation_results: { value: '${{parent.outputs.evaluation_results}}' },
          },
        },
      },
    });
  });

  it('of a function is read like one of YAML', () => {
    expect(spec('dsl-component')).toMatchObject({
      type: 'pipeline',
      name: 'heart_dsl',
      inputs: { rows: literal('integer', { default: '7' }), shuffle: literal('boolean', { default: 'False' }) },
      jobs: {
        first: {},
        second: { outputs: { model: { value: '${{parent.outputs.model}}' } } },
        greeting: { inputs: {} },
      },
    });
  });

  it('of a job names the job', () => {
    expect(parseComponentSpec({ type: 'pipeline', jobs: {}, sourceJobId: 'azureml:by-code' })).toMatchObject({
      sourceJob: 'by-code',
      jobs: {},
    });
  });
});

describe('a component that is written out', () => {
  it('reads settings as texts, modes in any case, and an inline environment', () => {
    expect(
      parseComponentSpec({
        command: 'echo ${{inputs.on}} > ${{outputs.out}}',
        code: null,
        is_deterministic: 'False',
        environment: { image: 'python:3.11', conda_file: { dependencies: ['pip'] } },
        environment_variables: { N: 5, ON: true },
        resources: { instance_count: '1' },
        distribution: { type: 'pytorch', process_count_per_instance: 1 },
        limits: { timeout: 'PT5M' },
        inputs: {
          on: { type: 'Boolean', default: 'TRUE' },
          d: { type: 'UriFolder', mode: 'Ro_Mount', optional: 'True' },
        },
        outputs: { out: { type: 'uri_file', mode: 'ReadWriteMount' } },
      }),
    ).toMatchObject({
      type: 'command',
      isDeterministic: false,
      environment: { image: 'python:3.11', condaFile: '{"dependencies":["pip"]}' },
      environmentVariables: { N: '5', ON: 'True' },
      timeoutSeconds: 300,
      inputs: { on: literal('boolean', { default: 'True' }), d: path('uri_folder', true) },
      outputs: { out: { type: 'uri_file' } },
    });
  });

  it.each<[object, string]>([
    [{}, 'spec.command: is required'],
    [
      { code: './src' },
      "spec.code: './src' is no code asset of this workspace. Register it first (the client does that for a local path) and give azureml:<name>:<version> or its ARM id",
    ],
    [
      { distribution: { type: 'mpi', process_count_per_instance: 2 } },
      'spec.distribution: is not supported: a command runs as one process; leave distribution out',
    ],
    [
      { resources: { instance_count: 2 } },
      'spec.resources.instanceCount: must be 1: a command runs on one instance here',
    ],
    [{ limits: { timeout: 0 } }, 'spec.limits.timeout: must be more than 0'],
    [
      { inputs: { t: { type: 'mltable' } } },
      'spec.inputs.t.type: mltable is not supported; use uri_folder or uri_file',
    ],
    [
      { inputs: { t: { type: 'table' } } },
      'spec.inputs.t.type: must be one of uri_file, uri_folder, custom_model, mlflow_model, triton_model, string, number, integer, boolean',
    ],
    [
      { inputs: { t: { type: 'uri_file', mode: 'eval_mount' } } },
      'spec.inputs.t.mode: eval modes are not supported: nothing evaluates an mltable here; use ro_mount or download',
    ],
    [
      { inputs: { n: { type: 'integer', default: '1.5' } } },
      "spec.inputs.n.default: must be a whole number, not '1.5'",
    ],
    [{ inputs: { n: { type: 'integer', default: 9, max: '5' } } }, 'spec.inputs.n.default: must be at most 5, not 9'],
    [
      { inputs: { s: { type: 'string', enum: ['a'], default: 'b' } } },
      "spec.inputs.s.default: must be one of a, not 'b'",
    ],
    [{ inputs: { s: { type: 'string', min: 1 } } }, 'spec.inputs.s.min: is for numbers, not for string'],
    [
      { inputs: { a: { type: 'string' }, A: { type: 'string' } } },
      "spec.inputs.A: has the name of 'a': names count in any case",
    ],
    [
      { inputs: { 'a/b': { type: 'string' } } },
      'spec.inputs.a/b: is no name here: letters, digits, underscores and hyphens, first a letter or an underscore',
    ],
    [
      { outputs: { o: { type: 'number' } } },
      'spec.outputs.o.type: must be a path type such as uri_folder: literal outputs are not supported; write the value to a file',
    ],
    [{ command: 'echo ${{inputs.x}}' }, 'spec.command: ${{inputs.x}} names no input of the component (it has none)'],
    [{ type: 'sweep' }, "spec.type: 'sweep' is not supported; it must be one of command, parallel, pipeline"],
    [{ type: 'pipeline' }, 'spec.jobs: must hold at least one step'],
    [
      { type: 'pipeline', jobs: { a: { type: 'command' } } },
      'spec.jobs.a.componentId: is required: a step names the component that it runs',
    ],
    [
      { type: 'pipeline', jobs: { a: { component: './a.yml' } } },
      "spec.jobs.a.componentId: './a.yml' is no component of this workspace. Register it first (the client does that for a local path) and give azureml:<name>:<version> or its ARM id",
    ],
    [
      { type: 'pipeline', jobs: { a: { type: 'spark', component: 'a:1' } } },
      "spec.jobs.a.type: 'spark' is not supported; it must be one of command, parallel, pipeline",
    ],
    [
      { type: 'pipeline', jobs: { a: { component: 'a:1' }, A: { component: 'a:1' } } },
      "spec.jobs.A: has the name of 'a': names count in any case",
    ],
    [
      { type: 'pipeline', jobs: { a: { component: 'a:1', resources: { instance_count: 3 } } } },
      'spec.jobs.a.resources: instance_count must be 1: a command runs on one instance here',
    ],
  ])('is refused: %j', (wrong, fault) => {
    const whole = 'type' in wrong || Object.keys(wrong).length === 0 ? wrong : { command: 'true', ...wrong };
    expect(faults(whole)).toEqual([fault]);
  });
});
