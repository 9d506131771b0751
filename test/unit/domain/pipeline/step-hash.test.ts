import { describe, expect, it } from 'vitest';
import { parseComponentSpec } from '../../../../shared/domain/pipeline/component-spec.ts';
import { stepHash, type StepIdentity } from '../../../../shared/domain/pipeline/step-hash.ts';
import type { CommandComponent } from '../../../../shared/domain/pipeline/model.ts';

function commandOf(more: object = {}): CommandComponent {
  const component = parseComponentSpec({
    command: 'train ${{inputs.n}}',
    inputs: { n: { type: 'integer' }, d: { type: 'uri_folder' } },
    outputs: { out: { type: 'uri_folder' } },
    ...more,
  });
  if (component.type !== 'command') throw new Error('is no command');
  return component;
}

const identity: StepIdentity = {
  step: { component: commandOf(), environmentVariables: { A: '1', B: '2' }, overrides: {} },
  code: 'c1',
  environment: 'e1',
  inputs: { n: { literal: '1' }, d: { stepHash: 'h', output: 'out' } },
};
const withStep = (more: Partial<StepIdentity['step']>) => ({ ...identity, step: { ...identity.step, ...more } });

describe("a step's hash", () => {
  it.each<[string, StepIdentity]>([
    ['the order of names', { ...identity, inputs: { d: { stepHash: 'h', output: 'out' }, n: { literal: '1' } } }],
    ['the order of variables', withStep({ environmentVariables: { B: '2', A: '1' } })],
    [
      'names, versions, descriptions and tags of the component',
      withStep({
        component: commandOf({ name: 'x', version: '9', description: 'd', tags: { a: 'b' }, display_name: 'X' }),
      }),
    ],
    ['the time limit', withStep({ component: commandOf({ limits: { timeout: 5 } }) })],
  ])('does not follow from %s', (_what, other) => {
    expect(stepHash(other)).toBe(stepHash(identity));
  });

  it.each<[string, StepIdentity]>([
    ['the command', withStep({ component: commandOf({ command: 'train2 ${{inputs.n}}' }) })],
    ['the type of an output', withStep({ component: commandOf({ outputs: { out: { type: 'uri_file' } } }) })],
    ['the code', { ...identity, code: 'c2' }],
    ['the environment', { ...identity, environment: null }],
    ['a variable', withStep({ environmentVariables: { A: '1', B: '3' } })],
    ['a literal', { ...identity, inputs: { ...identity.inputs, n: { literal: '2' } } }],
    ['an absent input', { ...identity, inputs: { n: { literal: '1' } } }],
    ['what made an input', { ...identity, inputs: { ...identity.inputs, d: { stepHash: 'i', output: 'out' } } }],
    ['what kind of input it is', { ...identity, inputs: { ...identity.inputs, d: { files: 'h' } } }],
  ])('follows from %s', (_what, other) => {
    expect(stepHash(other)).not.toBe(stepHash(identity));
  });

  it('follows from the deployment and the settings of a parallel step', () => {
    const parallel = (deployment: string, size: number): StepIdentity => {
      const component = parseComponentSpec({
        type: 'parallel',
        inputs: { d: { type: 'uri_folder' } },
        outputs: { score: { type: 'uri_folder' } },
        input_data: '${{inputs.d}}',
        task: { type: 'model', model: `azureml:heart/${deployment}` },
      });
      if (component.type !== 'parallel') throw new Error('is no parallel component');
      return { ...identity, step: { component, environmentVariables: {}, overrides: { miniBatchSize: size } } };
    };
    const hashes = [parallel('blue', 1), parallel('green', 1), parallel('blue', 2), parallel('BLUE', 1)].map(stepHash);
    expect(new Set(hashes).size).toBe(3);
    expect(hashes[3]).toBe(hashes[0]);
  });
});
