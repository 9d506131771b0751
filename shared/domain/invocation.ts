import { z } from 'zod';
import { caselessEnum, caselessObject, textMap } from './caseless.ts';
import { Dataset, kindOfPath, OutputDataset, tidyOutputUri } from './deprecated-datasets.ts';
import { instanceFields, settingsFields } from './invocation-settings.ts';

const SUPPORTED = 'A model deployment reads one input of type UriFile or UriFolder';
const kinds = ['UriFile', 'UriFolder', 'MLTable', 'CustomModel', 'MLFlowModel', 'TritonModel'] as const;
const isDataKind = (kind: string): kind is 'UriFile' | 'UriFolder' => kind === 'UriFile' || kind === 'UriFolder';

/** Modes have no meaning here (nothing is mounted) but are checked and echoed; clients also send the YAML words. */
const inputMode = caselessEnum(['ReadOnlyMount', 'ReadWriteMount', 'Download', 'Direct', 'EvalMount', 'EvalDownload'], {
  ro_mount: 'ReadOnlyMount',
  rw_mount: 'ReadWriteMount',
  eval_mount: 'EvalMount',
  eval_download: 'EvalDownload',
});
const outputMode = caselessEnum(['ReadWriteMount', 'Upload', 'Direct'], { rw_mount: 'ReadWriteMount' });

const input = caselessObject({
  jobInputType: caselessEnum([...kinds, 'Literal']),
  uri: z.string().min(1, 'must not be empty').optional(),
  mode: inputMode.default('ReadOnlyMount'),
  description: z.string().nullable().default(null),
});

const output = caselessObject({
  jobOutputType: caselessEnum(kinds),
  uri: z.string().min(1, 'must not be empty').optional(),
  mode: outputMode.default('ReadWriteMount'),
  description: z.string().nullable().default(null),
});

/** The one data input; its name is the client's and means nothing (contract 1.2). */
const REQUIRED = 'is required: name one input with jobInputType and uri';

const inputData = z.record(z.string(), input, REQUIRED).transform((inputs, context) => {
  const fail = (message: string, path: string[] = []): never => {
    context.addIssue({ code: 'custom', message, path, input: inputs });
    return z.NEVER;
  };
  const entries = Object.entries(inputs);
  const literal = entries.find(([, one]) => one.jobInputType === 'Literal');
  if (literal)
    return fail(`${SUPPORTED}; literal inputs are for deployments of pipeline components`, [
      literal[0],
      'jobInputType',
    ]);
  const [first] = entries;
  if (!first || entries.length > 1) return fail(`${SUPPORTED}, not ${entries.length}`);
  const [name, { jobInputType, uri, mode, description }] = first;
  if (!isDataKind(jobInputType)) return fail(`${SUPPORTED}, not ${jobInputType}`, [name, 'jobInputType']);
  if (uri === undefined) return fail('is required', [name, 'uri']);
  return { name, kind: jobInputType, uri, mode, description };
});

/** At most one output; without a URI it goes to the default place. */
const outputData = z.record(z.string(), output).transform((outputs, context) => {
  const fail = (message: string, path: string[] = []): never => {
    context.addIssue({ code: 'custom', message, path, input: outputs });
    return z.NEVER;
  };
  const [first, ...more] = Object.entries(outputs);
  if (more.length > 0) return fail(`A model deployment has one output, not ${more.length + 1}`);
  if (!first) return null;
  const [name, { jobOutputType, uri, mode, description }] = first;
  if (!isDataKind(jobOutputType))
    return fail(`must be UriFile or UriFolder, not ${jobOutputType}`, [name, 'jobOutputType']);
  return uri === undefined ? null : { name, kind: jobOutputType, uri: tidyOutputUri(uri), mode, description };
});

const sent = caselessObject({
  ...settingsFields,
  name: z.string().max(255).optional(),
  description: z.string().nullable().default(null),
  tags: textMap.default({}),
  properties: textMap.default({}),
  inputData: inputData.optional(),
  outputData: outputData.default(null),
  compute: caselessObject(instanceFields).optional(),
  dataset: Dataset.optional(),
  outputDataset: OutputDataset.optional(),
  partitionKeys: z.array(z.unknown()).max(0, 'are not supported').optional(),
});

/** Said together with what else is wrong, so that one answer names it all. */
const withInput = sent.refine((asked) => 'inputData' in asked || 'dataset' in asked, {
  error: REQUIRED,
  path: ['inputData'],
  when: ({ value }) => typeof value === 'object' && value !== null,
});

/** What one invocation asks for (contract 1.2). */
export const InvocationBody = caselessObject({
  properties: withInput.transform(({ dataset, outputDataset, ...asked }, context) => {
    const fail = (field: string, message: string): never => {
      context.addIssue({ code: 'custom', message, path: [field], input: asked });
      return z.NEVER;
    };
    const { inputData = dataset === undefined ? fail('inputData', REQUIRED) : inputOf(dataset) } = asked;
    if (asked.inputData && dataset !== undefined)
      return fail('dataset', 'is the older form of inputData; send one of them');
    if (asked.outputData && outputDataset !== undefined)
      return fail('outputDataset', 'is the older form of outputData; send one of them');
    return {
      ...asked,
      inputData,
      outputData: outputDataset === undefined ? asked.outputData : outputOf(outputDataset),
    };
  }),
});
export type Invocation = z.infer<typeof InvocationBody>['properties'];

const inputOf = (uri: string): z.infer<typeof inputData> => ({
  ...{ name: 'dataset', kind: kindOfPath(uri), uri, mode: 'ReadOnlyMount', description: null },
});

const outputOf = (uri: string): z.infer<typeof outputData> => ({
  ...{ name: 'outputDataset', kind: 'UriFolder', uri, mode: 'ReadWriteMount', description: null },
});
