import { z } from 'zod';
import { textMap } from '../caseless.ts';
import { checked } from '../checked.ts';
import { commandFaults } from './command-template.ts';
import { codeReference, stepsOf } from './component-spec.ts';
import { textOf } from './literal.ts';
import type { CommandComponent, InputPort, OutputPort, PipelineComponent, StepInput, StepOutput } from './model.ts';
import { pipelineSettings, type PipelineSettings } from './settings.ts';
import { environmentSource, environmentVariables, givenInputs, givenOutputs } from './step-spec.ts';
import { assetReference, limits, noDistribution, oneInstance, text, wireObject } from './wire.ts';

/** `PUT .../jobs/{name}` as `jobs.create_or_update` sends it, captured in test/fixtures/pipelines. The name is in the path. */

interface AskedBase {
  readonly displayName: string | null;
  readonly experimentName: string | null;
  readonly description: string | null;
  readonly tags: Readonly<Record<string, string>>;
  readonly properties: Readonly<Record<string, string>>;
  readonly compute: string | null;
  readonly inputs: Readonly<Record<string, StepInput>>;
  readonly outputs: Readonly<Record<string, StepOutput>>;
}

/** A pipeline with its own steps, or a component to run. */
export interface AskedPipelineJob extends AskedBase {
  readonly jobType: 'Pipeline';
  readonly settings: Partial<PipelineSettings>;
  readonly pipeline: { readonly inline: PipelineComponent } | { readonly reference: string };
}

/** One command: a pipeline of one step, called `command`, whose inputs and outputs are the job's. */
export interface AskedCommandJob extends AskedBase {
  readonly jobType: 'Command';
  readonly settings: Partial<PipelineSettings>;
  readonly pipeline: { readonly inline: PipelineComponent };
}

export type AskedJob = AskedPipelineJob | AskedCommandJob;

const JOB_TYPES = ['pipeline', 'command'] as const;

const base = {
  displayName: z.string().max(255).nullable().default(null),
  experimentName: z.string().max(255).nullable().default(null),
  description: z.string().nullable().default(null),
  tags: textMap.default({}),
  properties: textMap.default({}),
  computeId: z.string().nullable().default(null),
  inputs: givenInputs,
  outputs: givenOutputs,
};

/** What a job gives is all that is known of its inputs: a literal has the type that its step says. */
const portOf = (input: StepInput): InputPort =>
  input.kind === 'asset'
    ? { kind: 'path', type: input.type, optional: false }
    : { kind: 'literal', type: 'any', optional: false, default: input.value };

const portsOf = (inputs: AskedBase['inputs']): Record<string, InputPort> =>
  Object.fromEntries(Object.entries(inputs).map(([name, input]) => [name, portOf(input)]));

const outputPortsOf = (outputs: AskedBase['outputs']): Record<string, OutputPort> =>
  Object.fromEntries(
    Object.entries(outputs).map(([name, { type, value }]) => [
      name,
      { type: type ?? 'uri_folder', ...(value !== undefined && { from: value }) },
    ]),
  );

const nameless = { name: null, version: null, displayName: null, description: null, tags: {} };

const pipelineBody = wireObject({
  ...base,
  jobs: stepsOf,
  componentId: assetReference('component', 'components').nullable().default(null),
  settings: pipelineSettings,
}).transform(({ jobs, componentId, computeId, ...job }, context): AskedPipelineJob => {
  const asked = { jobType: 'Pipeline' as const, ...job, compute: computeId };
  if (Object.keys(jobs).length > 0)
    return {
      ...asked,
      pipeline: {
        inline: {
          type: 'pipeline',
          ...nameless,
          inputs: portsOf(job.inputs),
          outputs: outputPortsOf(job.outputs),
          jobs,
        },
      },
    };
  if (componentId === null) {
    context.addIssue({ code: 'custom', path: ['jobs'], message: 'must hold at least one step', input: job });
    return z.NEVER;
  }
  return { ...asked, pipeline: { reference: componentId } };
});

/** The step that a command job is. */
const ONLY_STEP = 'command';

const commandBody = wireObject({
  ...base,
  command: text,
  codeId: codeReference.nullable().default(null),
  environmentId: environmentSource,
  environmentVariables,
  resources: oneInstance,
  distribution: noDistribution,
  limits,
}).transform((sent, context): AskedCommandJob => {
  const { computeId, displayName, experimentName, description, tags, properties, inputs, outputs } = sent;
  const timeout = sent.limits?.timeout;
  const component: CommandComponent = {
    type: 'command',
    ...nameless,
    displayName,
    inputs: portsOf(inputs),
    outputs: outputPortsOf(outputs),
    command: sent.command,
    code: sent.codeId,
    environment: sent.environmentId,
    environmentVariables: sent.environmentVariables,
    isDeterministic: false,
    ...(timeout !== undefined && { timeoutSeconds: timeout }),
  };
  for (const message of commandFaults(component.command, component))
    context.addIssue({ code: 'custom', path: ['command'], message, input: component.command });
  const bound = (room: 'inputs' | 'outputs', names: object) =>
    Object.fromEntries(
      Object.keys(names).map((name) => [name, { kind: 'value' as const, value: `\${{parent.${room}.${name}}}` }]),
    );
  const step = {
    type: 'command' as const,
    displayName,
    component: { inline: component },
    inputs: bound('inputs', inputs),
    outputs: bound('outputs', outputs),
    compute: computeId,
    environment: null,
    environmentVariables: {},
    overrides: {},
  };
  const { inputs: ports, outputs: outputPorts } = component;
  return {
    jobType: 'Command',
    ...{ displayName, experimentName, description, tags, properties, inputs, outputs },
    compute: computeId,
    settings: {},
    pipeline: {
      inline: { type: 'pipeline', ...nameless, inputs: ports, outputs: outputPorts, jobs: { [ONLY_STEP]: step } },
    },
  };
});

const Kind = wireObject({
  properties: wireObject({
    jobType: text.transform((given, context) => {
      const type = JOB_TYPES.find((one) => one === given.toLowerCase());
      if (type !== undefined) return type;
      const message = `'${textOf(given)?.slice(0, 40) ?? ''}' jobs are not supported; submit a Pipeline or a Command`;
      context.addIssue({ code: 'custom', message, input: given });
      return z.NEVER;
    }),
  }),
});

const PipelineJobBody = wireObject({ properties: pipelineBody });
const CommandJobBody = wireObject({ properties: commandBody });

/** What a job that is to be made may be. */
export const JOB_BODIES = [PipelineJobBody, CommandJobBody] as const;

/** Reads a job that is to be made. Throws ApiError 400 with a detail per fault. */
export function parseJobBody(body: unknown): AskedJob {
  const { jobType } = checked(Kind, body).properties;
  return checked(jobType === 'pipeline' ? PipelineJobBody : CommandJobBody, body).properties;
}
