import { describe, expect, it } from 'vitest';
import { ApiError } from '../../../../shared/domain/errors.ts';
import { checkPipeline } from '../../../../shared/domain/pipeline/check-pipeline.ts';
import { parseComponentSpec } from '../../../../shared/domain/pipeline/component-spec.ts';
import { bindInputs, jobOutputFaults } from '../../../../shared/domain/pipeline/bind-inputs.ts';
import { parseJobBody } from '../../../../shared/domain/pipeline/job-body.ts';
import { planPipeline, type PipelinePlan } from '../../../../shared/domain/pipeline/plan-pipeline.ts';
import { body, captured, WORKSPACE } from './fixtures.ts';

/** All components that the fixtures put. */
const stored = new Map(
  ['command-component', 'command-component-inline-environment', 'dsl-component', 'dsl-job', 'pipeline-job']
    .flatMap(captured)
    .filter(({ path }) => path.startsWith('/components/'))
    .map(({ path, body: put }) => [WORKSPACE + path, parseComponentSpec(put.properties['componentSpec'])]),
);
const lookup = (reference: string) => stored.get(reference);

/** The plan of a job that the client put. */
function planOf(name: string): PipelinePlan {
  const job = parseJobBody(body(name));
  if (!('inline' in job.pipeline)) throw new Error('the job has no steps');
  const { inline } = job.pipeline;
  expect(checkPipeline(inline, lookup)).toEqual([]);
  const bound = bindInputs(inline.inputs, job.inputs);
  if ('faults' in bound) throw new Error(JSON.stringify(bound.faults));
  const planned = planPipeline(inline, lookup, bound.values);
  if ('faults' in planned) throw new Error(JSON.stringify(planned.faults));
  return planned.plan;
}

function refusal(job: object): string[] {
  try {
    parseJobBody({ properties: job });
  } catch (error) {
    if (error instanceof ApiError) return error.details.map(({ message }) => message);
    throw error;
  }
  return [];
}

describe('a pipeline job as the client sends it', () => {
  it('is read whole', () => {
    const job = parseJobBody(body('pipeline-job'));
    expect({ ...job, pipeline: 'inline' in job.pipeline && Object.keys(job.pipeline.inline.jobs) }).toEqual({
      jobType: 'Pipeline',
      displayName: 'Train on raw data',
      experimentName: 'heart',
      description: 'One run.',
      tags: { run: 'first' },
      properties: {},
      compute: null,
      settings: {
        defaultCompute: `${WORKSPACE}/computes/cpu`,
        defaultDatastore: `${WORKSPACE}/datastores/workspaceblobstore`,
        continueOnStepFailure: true,
        forceRerun: false,
      },
      inputs: {
        raw: { kind: 'asset', type: 'uri_folder', uri: `${WORKSPACE}/data/heart-data/versions/1` },
        encoding: { kind: 'value', value: 'onehot' },
        fraction: { kind: 'value', value: '0.25' },
        rows: { kind: 'value', value: '10' },
        shuffle: { kind: 'value', value: 'True' },
      },
      outputs: {
        model: { type: 'mlflow_model', uri: 'azureml://datastores/workspaceblobstore/paths/runs/model' },
        evaluation_results: { type: 'uri_folder' },
      },
      pipeline: ['train_all', 'prepare_more', 'inline', 'score', 'score_inline'],
    });
  });

  it('is planned with its nested pipeline laid out', () => {
    const { steps, sources, outputs } = planOf('pipeline-job');
    expect(steps.map(({ path, dependencies, dependents }) => ({ path, dependencies, dependents }))).toEqual([
      { path: 'train_all.prepare', dependencies: [], dependents: ['train_all.train'] },
      { path: 'train_all.train', dependencies: ['train_all.prepare'], dependents: [] },
      { path: 'prepare_more', dependencies: [], dependents: ['score', 'score_inline'] },
      { path: 'inline', dependencies: [], dependents: [] },
      { path: 'score', dependencies: ['prepare_more'], dependents: [] },
      { path: 'score_inline', dependencies: ['prepare_more'], dependents: [] },
    ]);
    expect(sources).toEqual(['train_all.prepare', 'prepare_more', 'inline']);
    expect(outputs).toEqual({
      model: { step: 'train_all.train', output: 'model', type: 'mlflow_model' },
      evaluation_results: { step: 'prepare_more', output: 'prepared_data', type: 'uri_folder' },
    });
    expect(steps.map(({ path, inputs }) => [path, inputs])).toEqual([
      [
        'train_all.prepare',
        {
          data: { from: 'jobInput', name: 'raw', type: 'uri_folder' },
          categorical_encoding: { from: 'literal', value: 'onehot' },
          eval_size: { from: 'literal', value: '0.2' },
          rows: { from: 'literal', value: '50' },
          shuffle: { from: 'literal', value: 'True' },
        },
      ],
      [
        'train_all.train',
        {
          data: { from: 'output', step: 'train_all.prepare', output: 'prepared_data', type: 'uri_folder' },
          target_column: { from: 'literal', value: 'target-onehot' },
          eval_size: { from: 'literal', value: '0.3' },
        },
      ],
      [
        'prepare_more',
        {
          data: { from: 'asset', type: 'uri_folder', uri: 'azureml://datastores/workspaceblobstore/paths/more' },
          transformations: {
            from: 'asset',
            type: 'custom_model',
            uri: `${WORKSPACE}/models/heart-transformations/versions/2`,
          },
          categorical_encoding: { from: 'literal', value: 'ordinal' },
          eval_size: { from: 'literal', value: '0.2' },
          rows: { from: 'literal', value: '10' },
          shuffle: { from: 'literal', value: 'True' },
        },
      ],
      ['inline', { text: { from: 'literal', value: 'onehot' }, flag: { from: 'literal', value: 'False' } }],
      ['score', { files: { from: 'output', step: 'prepare_more', output: 'prepared_data', type: 'uri_folder' } }],
      [
        'score_inline',
        { files: { from: 'output', step: 'prepare_more', output: 'prepared_data', type: 'uri_folder' } },
      ],
    ]);
    expect(
      steps.map(({ path, timeoutSeconds, environmentVariables, overrides, outputs: own }) => [
        path,
        { timeoutSeconds, environmentVariables, overrides, own },
      ]),
    ).toMatchObject([
      ['train_all.prepare', { timeoutSeconds: 300, own: { prepared_data: { jobOutputs: [] } } }],
      [
        'train_all.train',
        {
          environmentVariables: { OMP_NUM_THREADS: '2' },
          own: {
            model: { type: 'mlflow_model', jobOutputs: ['model'] },
            evaluation_results: { uri: 'azureml://datastores/workspaceblobstore/paths/results', jobOutputs: [] },
          },
        },
      ],
      ['prepare_more', { timeoutSeconds: 60, own: { prepared_data: { jobOutputs: ['evaluation_results'] } } }],
      ['inline', { environmentVariables: { GREETING: 'hello' } }],
      ['score', { overrides: { miniBatchSize: 5, maxConcurrencyPerInstance: 2, errorThreshold: 3, instanceCount: 2 } }],
      ['score_inline', { overrides: { miniBatchSize: 7 } }],
    ]);
  });

  it('of a function is planned: one pipeline used twice is two', () => {
    const { steps, outputs } = planOf('dsl-job');
    expect(steps.map(({ path }) => path)).toEqual([
      'inner.first',
      'inner.second',
      'inner.greeting',
      'again.first',
      'again.second',
      'again.greeting',
    ]);
    expect(steps.map(({ inputs }) => inputs['rows'] ?? inputs['text'])).toEqual([
      { from: 'literal', value: '3' },
      undefined,
      { from: 'literal', value: "it's" },
      { from: 'literal', value: '7' },
      undefined,
      { from: 'literal', value: "it's" },
    ]);
    expect(outputs).toEqual({ model: { step: 'inner.second', output: 'model', type: 'mlflow_model' } });
  });

  it('of a component has no steps of its own', () => {
    const job = parseJobBody(body('component-job'));
    expect({ pipeline: job.pipeline, inputs: job.inputs }).toEqual({
      pipeline: { reference: 'azureml:heart_training:1' },
      inputs: {
        raw: { kind: 'asset', type: 'uri_folder', uri: `${WORKSPACE}/data/heart-data/versions/1` },
        encoding: { kind: 'value', value: 'onehot' },
      },
    });
  });
});

describe('a command job as the client sends it', () => {
  it('is a pipeline of one step', () => {
    const job = parseJobBody(body('command-job'));
    expect(job).toMatchObject({ jobType: 'Command', displayName: 'one-command', compute: `${WORKSPACE}/computes/cpu` });
    const { steps, outputs } = planOf('command-job');
    expect(outputs).toEqual({ out: { step: 'command', output: 'out', type: 'uri_folder' } });
    expect(steps).toMatchObject([
      {
        path: 'command',
        component: { command: expect.stringContaining('python a.py') as string, isDeterministic: false },
        environment: { reference: `${WORKSPACE}/environments/heart-env/versions/1` },
        environmentVariables: { A: '1' },
        timeoutSeconds: 120,
        inputs: {
          data: { from: 'jobInput', name: 'data', type: 'uri_file' },
          n: { from: 'literal', value: '3' },
          f: { from: 'literal', value: 'True' },
        },
      },
    ]);
  });
});

describe('a job that is refused', () => {
  it.each<[object, string]>([
    [{ jobType: 'Sweep' }, "properties.jobType: 'Sweep' jobs are not supported; submit a Pipeline or a Command"],
    [{ jobType: 'pipeline', jobs: {} }, 'properties.jobs: must hold at least one step'],
    [
      { jobType: 'pipeline', componentId: 'a:1', settings: { forceRerun: 'maybe' } },
      'properties.settings.forceRerun: must be true or false',
    ],
    [
      { jobType: 'pipeline', componentId: 'a:1', inputs: { t: { jobInputType: 'mltable', uri: 'azureml:t:1' } } },
      'properties.inputs.t.job_input_type: mltable is not supported; use uri_folder or uri_file',
    ],
    [
      { jobType: 'command', command: 'a ${{inputs.x}}', environmentId: 'azureml:e:1' },
      'properties.command: ${{inputs.x}} names no input of the component (it has none)',
    ],
    [
      { jobType: 'pipeline', componentId: 'a:1', inputs: { t: { jobInputType: 'uri_file' } } },
      'properties.inputs.t.uri: is required',
    ],
  ])('says why: %j', (job, fault) => {
    expect(refusal(job)).toEqual([fault]);
  });
});

describe('what a job gives to a component', () => {
  const ports = {
    data: { kind: 'path', type: 'uri_folder', optional: false },
    start: { kind: 'path', type: 'custom_model', optional: true },
    mode: { kind: 'literal', type: 'string', optional: false, default: 'a', enum: ['a', 'b'] },
    n: { kind: 'literal', type: 'integer', optional: true },
  } as const;
  const folder = { kind: 'asset', type: 'mlflow_model', uri: 'azureml:x:1' } as const;

  it('is laid over its defaults; what is optional may be absent', () => {
    expect(bindInputs(ports, { data: folder })).toEqual({
      values: {
        data: { kind: 'path', type: 'mlflow_model', uri: 'azureml:x:1' },
        mode: { kind: 'literal', text: 'a' },
      },
    });
    expect(bindInputs({}, {})).toEqual({ values: {} });
  });

  it('is refused with every fault', () => {
    expect(
      bindInputs(ports, {
        start: { kind: 'value', value: 'x' },
        mode: { kind: 'value', value: 'c' },
        n: folder,
        constructor: folder,
      }),
    ).toEqual({
      faults: [
        {
          path: 'constructor',
          message: 'is no input of the pipeline (it has data, start, mode, n); inputs of its steps cannot be given',
        },
        { path: 'data', message: 'is required: a uri_folder' },
        { path: 'start', message: 'takes a custom_model: give its type and uri, not a literal' },
        { path: 'mode', message: "must be one of a, b, not 'c'" },
        { path: 'n', message: 'takes an integer, not an mlflow_model' },
      ],
    });
  });

  it('may say where outputs go, by their names', () => {
    const outputs = { model: { type: 'mlflow_model' } } as const;
    expect(jobOutputFaults(outputs, { model: { uri: 'azureml://datastores/d/paths/m' } })).toEqual([]);
    expect(jobOutputFaults(outputs, { model: { value: 'm' }, report: {} })).toEqual([
      { path: 'model', message: "is a place: give its uri, not the text 'm'" },
      { path: 'report', message: 'is no output of the pipeline (it has model)' },
    ]);
  });
});
