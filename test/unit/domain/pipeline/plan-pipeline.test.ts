import { describe, expect, it } from 'vitest';
import { checkPipeline } from '../../../../shared/domain/pipeline/check-pipeline.ts';
import { parseComponentSpec } from '../../../../shared/domain/pipeline/component-spec.ts';
import type { PipelineComponent } from '../../../../shared/domain/pipeline/model.ts';
import { planPipeline, type PipelinePlan } from '../../../../shared/domain/pipeline/plan-pipeline.ts';
import { randomGraph, seeded } from './random-graph.ts';

const nothing = () => undefined;

/** A command that takes an optional folder of each step. */
const command = (inputs: readonly string[]) => ({
  command: 'true',
  inputs: Object.fromEntries(inputs.map((input) => [input, { type: 'uri_folder' }])),
  outputs: { out: { type: 'uri_folder' } },
});

function pipelineOf(spec: object): PipelineComponent {
  const component = parseComponentSpec({ type: 'pipeline', ...spec });
  if (component.type !== 'pipeline') throw new Error('is no pipeline');
  expect(checkPipeline(component, nothing)).toEqual([]);
  return component;
}

function planned(pipeline: PipelineComponent, values: Parameters<typeof planPipeline>[2] = {}): PipelinePlan {
  const answer = planPipeline(pipeline, nothing, values);
  if ('faults' in answer) throw new Error(JSON.stringify(answer.faults));
  return answer.plan;
}

const edgesOf = ({ steps }: PipelinePlan): string[] =>
  steps.flatMap(({ path, dependencies }) => dependencies.map((before) => `${before} > ${path}`)).sort();

describe('a plan', () => {
  it('has the edges of its graph, both ways, with every step after what it needs', () => {
    const random = seeded(8);
    for (let round = 0; round < 200; round++) {
      const graph = randomGraph(random, { steps: 1 + Math.floor(random() * 12), cyclic: false });
      // Some steps are pipelines of one command: what flows through them is the command's.
      const nested = new Set([...graph.keys()].filter(() => random() < 0.3));
      const step = (name: string, from: ReadonlySet<string>) => {
        const inputs = Object.fromEntries([...from].map((one) => [one, `\${{parent.jobs.${one}.outputs.out}}`]));
        const leaf = { component: command([...from]), inputs };
        if (!nested.has(name)) return leaf;
        const inner = {
          type: 'pipeline',
          inputs: command([...from]).inputs,
          outputs: { out: { type: 'uri_folder' } },
          jobs: {
            leaf: {
              component: command([...from]),
              inputs: Object.fromEntries([...from].map((one) => [one, `\${{parent.inputs.${one}}}`])),
              outputs: { out: '${{parent.outputs.out}}' },
            },
          },
        };
        return { type: 'pipeline', component: inner, inputs };
      };
      const plan = planned(
        pipelineOf({ jobs: Object.fromEntries([...graph].map(([name, from]) => [name, step(name, from)])) }),
      );

      const leafOf = (name: string) => (nested.has(name) ? `${name}.leaf` : name);
      const edges = [...graph].flatMap(([name, from]) => [...from].map((one) => `${leafOf(one)} > ${leafOf(name)}`));
      expect(edgesOf(plan)).toEqual(edges.sort());
      expect(
        plan.steps.flatMap(({ path, dependents }) => dependents.map((next) => `${path} > ${next}`)).sort(),
      ).toEqual(edges);
      const paths = plan.steps.map(({ path }) => path);
      expect([...paths].sort()).toEqual([...graph.keys()].map(leafOf).sort());
      for (const { path, dependencies } of plan.steps)
        for (const before of dependencies) expect(paths.indexOf(before)).toBeLessThan(paths.indexOf(path));
      expect([...plan.sources].sort()).toEqual(
        [...graph].flatMap(([name, from]) => (from.size === 0 ? [leafOf(name)] : [])).sort(),
      );
    }
  });

  const literals = {
    inputs: {
      text: { type: 'string', optional: true },
      n: { type: 'integer', optional: true },
      start: { type: 'custom_model', optional: true },
    },
    jobs: {
      a: {
        component: {
          command: 'true',
          inputs: {
            word: { type: 'string', default: 'x', enum: ['x', 'y'] },
            size: { type: 'number', optional: true, max: 5 },
            start: { type: 'custom_model', optional: true },
          },
        },
        inputs: { word: '${{parent.inputs.text}}', size: '${{parent.inputs.n}}', start: '${{parent.inputs.start}}' },
      },
    },
  };

  it('leaves out what was not given, and fills in what has a default', () => {
    expect(planned(pipelineOf(literals)).steps[0]?.inputs).toEqual({ word: { from: 'literal', value: 'x' } });
  });

  it('has what was given', () => {
    const values = {
      text: { kind: 'literal', text: 'y' },
      n: { kind: 'literal', text: '5' },
      start: { kind: 'path', type: 'mlflow_model', uri: 'azureml:m:1' },
    } as const;
    expect(planned(pipelineOf(literals), values).steps[0]?.inputs).toEqual({
      word: { from: 'literal', value: 'y' },
      size: { from: 'literal', value: '5' },
      start: { from: 'jobInput', name: 'start', type: 'mlflow_model' },
    });
  });

  it('is refused when a value fits the pipeline but not the step', () => {
    const values = { text: { kind: 'literal', text: 'z' }, n: { kind: 'literal', text: '6' } } as const;
    const inner = { type: 'pipeline', component: { type: 'pipeline', ...literals }, inputs: { text: 'z' } };
    expect(planPipeline(pipelineOf({ ...literals, jobs: { ...literals.jobs, sub: inner } }), nothing, values)).toEqual({
      faults: [
        { path: 'jobs.a.inputs.word', message: "must be one of x, y, not 'z'" },
        { path: 'jobs.a.inputs.size', message: 'must be at most 5, not 6' },
        { path: 'jobs.sub.jobs.a.inputs.word', message: "must be one of x, y, not 'z'" },
      ],
    });
  });
});
