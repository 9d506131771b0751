import { z } from 'zod';
import { caselessObject, textMap } from '../caseless.ts';
import type { StepInput, StepOutput } from './model.ts';
import { givenInputs, givenOutputs } from './step-spec.ts';

const forModels = (field: string) =>
  z.undefined(`is for deployments of models; a pipeline takes ${field}, by its inputs' own names`).optional();

/** What one invocation asks of a pipeline's deployment (contract 1.2). What belongs to scoring alone is left. */
export const PipelineInvocationBody = caselessObject({
  properties: caselessObject({
    name: z.string().max(255).optional(),
    description: z.string().nullable().default(null),
    tags: textMap.default({}),
    properties: textMap.default({}),
    inputData: givenInputs,
    outputData: givenOutputs,
    dataset: forModels('inputData'),
    outputDataset: forModels('outputData'),
  }),
});
export type PipelineInvocation = z.infer<typeof PipelineInvocationBody>['properties'];

/** The inputs and outputs of an invocation as the body of a job has them. */
export const asSentJob = ({ inputData, outputData }: Pick<PipelineInvocation, 'inputData' | 'outputData'>) => ({
  inputs: mapped(inputData, (input: StepInput) =>
    input.kind === 'value'
      ? { jobInputType: 'literal', value: input.value }
      : { jobInputType: input.type, uri: input.uri, mode: 'ReadOnlyMount' },
  ),
  outputs: mapped(outputData, ({ type = 'uri_folder', uri }: StepOutput) => ({
    jobOutputType: type,
    ...(uri !== undefined && { uri }),
    mode: 'ReadWriteMount',
  })),
});

const mapped = <From, To>(record: Readonly<Record<string, From>>, change: (value: From) => To): Record<string, To> =>
  Object.fromEntries(Object.entries(record).map(([name, value]) => [name, change(value)]));
