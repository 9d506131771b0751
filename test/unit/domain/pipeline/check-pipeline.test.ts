import { describe, expect, it } from 'vitest';
import { checkPipeline, pipelineError } from '../../../../shared/domain/pipeline/check-pipeline.ts';
import { parseComponentSpec } from '../../../../shared/domain/pipeline/component-spec.ts';
import { loadComponents } from '../../../../shared/domain/pipeline/components.ts';
import type { PipelineComponent, StepComponent } from '../../../../shared/domain/pipeline/model.ts';
import { captured, WORKSPACE } from './fixtures.ts';

function pipelineOf(spec: object): PipelineComponent {
  const component = parseComponentSpec({ type: 'pipeline', ...spec });
  if (component.type !== 'pipeline') throw new Error('is no pipeline');
  return component;
}

const REGISTRY: Record<string, StepComponent> = {
  'azureml:train:1': parseComponentSpec({
    command: 'train ${{inputs.data}} $[[${{inputs.start}}]]',
    inputs: {
      data: { type: 'uri_folder' },
      start: { type: 'custom_model', optional: true },
      rate: { type: 'number', default: 0.1, max: 1 },
      epochs: { type: 'integer', default: 3 },
      name: { type: 'string', default: 'x', enum: ['x', 'y'] },
      note: { type: 'string', default: '' },
      fast: { type: 'boolean', default: false },
    },
    outputs: { model: { type: 'mlflow_model' }, report: { type: 'uri_file' } },
  }),
};
const lookup = (reference: string) => REGISTRY[reference];

const train = (more: object = {}) => ({ type: 'command', component: 'azureml:train:1', ...more });
const data = { type: 'uri_folder', path: 'azureml:heart:1' };

/** Faults as `path: message`. */
const faults = (spec: object): string[] =>
  checkPipeline(pipelineOf(spec), lookup).map(({ path, message }) => `${path}: ${message}`);
const stepFaults = (step: object, inputs: object = {}): string[] => faults({ inputs, jobs: { a: train(step) } });

describe('a pipeline', () => {
  it('that is whole has no faults', () => {
    expect(
      faults({
        inputs: {
          raw: { type: 'uri_file' },
          rate: { type: 'integer' },
          name: { type: 'string' },
          start: { type: 'mlflow_model', optional: true },
        },
        outputs: { model: { type: 'custom_model' }, report: '${{parent.jobs.b.outputs.report}}' },
        jobs: {
          b: train({
            inputs: {
              data: '${{parent.jobs.a.outputs.model}}',
              note: 'n-${{parent.inputs.name}}-${{parent.inputs.rate}}',
            },
            outputs: { model: '${{parent.outputs.model}}' },
          }),
          a: train({
            inputs: {
              data: '${{parent.inputs.raw}}',
              start: '${{parent.inputs.start}}',
              rate: '${{parent.inputs.rate}}',
              epochs: '${{parent.inputs.rate}}',
              name: '${{parent.inputs.name}}',
              fast: 'true',
            },
            outputs: {
              model: null,
              report: { type: 'uri_file', mode: 'upload', path: 'azureml://datastores/d/paths/r' },
            },
          }),
        },
      }),
    ).toEqual([]);
  });

  it.each<[string, object, string[]]>([
    ['a missing input', {}, ['jobs.a.inputs.data: is required: a uri_folder']],
    [
      'an unknown input',
      { inputs: { data, dta: 1 } },
      ['jobs.a.inputs.dta: is no input of the component (it has data, start, rate, epochs, name, note, fast)'],
    ],
    [
      'a literal for a folder',
      { inputs: { data: 'azureml:heart:1' } },
      [
        "jobs.a.inputs.data: takes a uri_folder: give {type: uri_folder, path: ...} or a binding, not the text 'azureml:heart:1'",
      ],
    ],
    [
      'a folder for a literal',
      { inputs: { data, epochs: data } },
      ['jobs.a.inputs.epochs: takes an integer, not a uri_folder'],
    ],
    [
      'a wrong literal',
      { inputs: { data, epochs: '1.5' } },
      ["jobs.a.inputs.epochs: must be a whole number, not '1.5'"],
    ],
    ['a literal that is too large', { inputs: { data, rate: 2 } }, ['jobs.a.inputs.rate: must be at most 1, not 2']],
    [
      'a word that is not in the enum',
      { inputs: { data, name: 'z' } },
      ["jobs.a.inputs.name: must be one of x, y, not 'z'"],
    ],
    [
      'a dangling input',
      { inputs: { data: '${{parent.inputs.raw}}' } },
      ["jobs.a.inputs.data: the pipeline has no input 'raw' (it has text, maybe)"],
    ],
    [
      'a dangling step',
      { inputs: { data: '${{parent.jobs.b.outputs.model}}' } },
      ["jobs.a.inputs.data: the pipeline has no step 'b' (it has a)"],
    ],
    [
      'another form of binding',
      { inputs: { data: '${{inputs.raw}}' } },
      [
        'jobs.a.inputs.data: ${{inputs.raw}} binds to nothing: use ${{parent.inputs.<input>}} or ${{parent.jobs.<step>.outputs.<output>}}',
      ],
    ],
    [
      'a text bound to a folder',
      { inputs: { data: '${{parent.inputs.text}}' } },
      ['jobs.a.inputs.data: takes a uri_folder, and is bound to a literal (string)'],
    ],
    [
      'a text around a folder',
      { inputs: { data: 'x${{parent.inputs.text}}' } },
      ['jobs.a.inputs.data: takes a uri_folder: a binding to one may have no text around it'],
    ],
    [
      'a text bound to a number',
      { inputs: { data, epochs: '${{parent.inputs.text}}' } },
      ['jobs.a.inputs.epochs: takes an integer, and is bound to a string'],
    ],
    [
      'a text around a number',
      { inputs: { data, epochs: '1${{parent.inputs.text}}' } },
      ['jobs.a.inputs.epochs: takes an integer: a binding may have text around it only in a string'],
    ],
    [
      'an optional input where one is needed',
      { inputs: { data: '${{parent.inputs.maybe}}' } },
      ['jobs.a.inputs.data: is required, and is bound to an optional input, which may be absent'],
    ],
    [
      'a folder in a text',
      { inputs: { data, note: 'x ${{parent.inputs.maybe}}' } },
      ['jobs.a.inputs.note: puts a uri_folder into a text: only literals fit there'],
    ],
    [
      'an unknown output',
      { inputs: { data }, outputs: { modell: null } },
      ['jobs.a.outputs.modell: is no output of the component (it has model, report)'],
    ],
    [
      'an output bound to nothing',
      { inputs: { data }, outputs: { model: '${{parent.outputs.m}}' } },
      ["jobs.a.outputs.model: the pipeline has no output 'm' (it has none)"],
    ],
    [
      'an output that is a text',
      { inputs: { data }, outputs: { model: 'here' } },
      ["jobs.a.outputs.model: 'here' is no binding: use ${{parent.outputs.<output>}}"],
    ],
    [
      'a component that does not exist',
      { component: 'azureml:train:2' },
      ['jobs.a.componentId: the component azureml:train:2 does not exist'],
    ],
    [
      'another type than its component',
      { type: 'pipeline' },
      ['jobs.a.type: is pipeline, but its component is a command'],
    ],
  ])('tells of %s', (_what, step, expected) => {
    expect(stepFaults(step, { text: { type: 'string' }, maybe: { type: 'uri_folder', optional: true } })).toEqual(
      expected,
    );
  });

  it('tells all faults at once, nested ones with their path', () => {
    const inner = {
      type: 'pipeline',
      inputs: { d: { type: 'uri_folder' } },
      jobs: { x: train({ inputs: { dat: 1 } }) },
    };
    expect(faults({ jobs: { sub: { type: 'pipeline', component: inner }, a: train() } })).toEqual([
      'jobs.sub.inputs.d: is required: a uri_folder',
      'jobs.a.inputs.data: is required: a uri_folder',
      'jobs.sub.jobs.x.inputs.dat: is no input of the component (it has data, start, rate, epochs, name, note, fast)',
      'jobs.sub.jobs.x.inputs.data: is required: a uri_folder',
    ]);
  });

  it('names the steps on a cycle', () => {
    const after = (step: string) => train({ inputs: { data: `\${{parent.jobs.${step}.outputs.model}}` } });
    expect(
      faults({ jobs: { start: train({ inputs: { data } }), a: after('c'), b: after('a'), c: after('b') } }),
    ).toEqual(['jobs: has a cycle: b -> c -> a -> b']);
    expect(faults({ jobs: { self: after('self') } })).toEqual(['jobs: has a cycle: self -> self']);
  });

  it('tells of outputs that no step writes, or two', () => {
    const writes = train({ inputs: { data }, outputs: { model: '${{parent.outputs.twice}}' } });
    expect(
      faults({
        outputs: {
          none: { type: 'uri_folder' },
          twice: { type: 'uri_folder' },
          text: 'x',
          gone: '${{parent.jobs.a.outputs.gone}}',
        },
        jobs: { a: writes, b: writes },
      }),
    ).toEqual([
      'outputs.none: no step writes it: bind the output of one to ${{parent.outputs.none}}',
      'outputs.twice: is written by more than one step: a.model, b.model',
      "outputs.text: 'x' is no binding: use ${{parent.jobs.<step>.outputs.<output>}}",
      "outputs.gone: the step 'a' has no output 'gone' (it has model, report)",
    ]);
  });

  it('that holds itself, or too many steps, is refused in one sentence', () => {
    const self: PipelineComponent = pipelineOf({ jobs: { me: { type: 'pipeline', component: 'azureml:self:1' } } });
    expect(checkPipeline(self, () => self)).toEqual([
      { path: 'jobs', message: 'nests pipelines deeper than 20, or a pipeline in itself' },
    ]);
    const level = (of: string) =>
      pipelineOf({
        jobs: Object.fromEntries(Array.from({ length: 40 }, (_, i) => [`s${i}`, { type: 'pipeline', component: of }])),
      });
    const levels: Record<string, StepComponent> = { 'azureml:one:1': level('azureml:train:1') };
    expect(checkPipeline(level('azureml:one:1'), (reference) => levels[reference] ?? lookup(reference))).toEqual([
      { path: 'jobs', message: 'holds 1600 steps; at most 1000 fit a job' },
    ]);
  });

  it('becomes one answer that counts what it does not say', () => {
    const error = pipelineError(checkPipeline(pipelineOf({ jobs: { a: train(), b: train() } }), lookup), 'properties');
    expect({
      status: error.status,
      message: error.message,
      target: error.target,
      details: error.details.length,
    }).toEqual({
      status: 400,
      message: 'properties.jobs.a.inputs.data: is required: a uri_folder (and 1 more)',
      target: 'properties.jobs.a.inputs.data',
      details: 2,
    });
  });
});

describe("the client's pipelines", () => {
  it.each(['pipeline-component', 'dsl-component', 'dsl-job', 'pipeline-job'])('have no faults: %s', async (name) => {
    const stored = new Map(
      ['command-component', 'command-component-inline-environment', 'dsl-component', name]
        .flatMap(captured)
        .filter(({ path }) => path.startsWith('/components/'))
        .map(({ path, body }) => [WORKSPACE + path, parseComponentSpec(body.properties['componentSpec'])]),
    );
    const loaded: string[] = [];
    for (const component of stored.values()) {
      if (component.type !== 'pipeline') continue;
      const found = await loadComponents(component, (reference) => {
        loaded.push(reference);
        return Promise.resolve(stored.get(reference));
      });
      expect(checkPipeline(component, found)).toEqual([]);
    }
    expect(loaded.length).toBeGreaterThan(1);
  });
});
