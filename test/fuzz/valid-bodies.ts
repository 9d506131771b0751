import { FLOW, RAW, STEP, configuration, copyStep } from '../unit/api/pipelines-world.ts';
import type { Json } from './arbitrary-json.ts';

const STORE = 'azureml://datastores/workspaceblobstore/paths';
const described = { description: 'd', tags: { a: '1' }, properties: { b: '2' } };

/** Bodies that the furnished app takes, by the end of their route. */
const BODIES: readonly (readonly [RegExp, readonly object[]])[] = [
  [
    /^POST .*\/jobs$/,
    [
      { properties: { inputData: { in: { jobInputType: 'UriFolder', uri: `${STORE}/in` } } } },
      {
        properties: {
          ...described,
          inputData: { in: { jobInputType: 'UriFile', uri: `${STORE}/in/a.csv`, mode: 'ReadOnlyMount' } },
          outputData: { score: { jobOutputType: 'UriFile', uri: `${STORE}/out/a.csv` } },
          retrySettings: { maxRetries: 2, timeout: 'PT30S' },
          miniBatchSize: 5,
          outputFileName: 'a.csv',
        },
      },
      { properties: { dataset: { datasetName: 'files', datasetVersion: '1' } } },
      { properties: { inputData: { raw: RAW, rate: { jobInputType: 'Literal', value: '0.5' } } } },
    ],
  ],
  [
    /^PUT .*\/jobs\/\{job\}$/,
    [
      { properties: { jobType: 'Pipeline', inputs: { raw: RAW }, jobs: { first: copyStep() } } },
      { properties: { jobType: 'Pipeline', inputs: { raw: RAW }, componentId: 'azureml:flow:1', settings: {} } },
      {
        properties: {
          jobType: 'Command',
          command: 'echo ${{inputs.x}} > ${{outputs.out}}/a',
          inputs: { x: { jobInputType: 'literal', value: '1' } },
          outputs: { out: { jobOutputType: 'uri_folder' } },
        },
      },
      { properties: { displayName: 'n', isArchived: true, tags: { a: '1' } } },
    ],
  ],
  [
    /^(?:PUT|PATCH) .*\/deployments\/\{deployment\}$/,
    [
      { properties: { ...described, model: { assetId: 'azureml:heart:1' }, compute: 'azureml:cluster' } },
      {
        properties: { model: { assetId: 'azureml:heart@latest' }, miniBatchSize: 3, retrySettings: { maxRetries: 1 } },
      },
      { properties: { deploymentConfiguration: configuration() } },
    ],
  ],
  [/^(?:PUT|PATCH) .*\/batchendpoints\/\{endpoint\}$/, [{ properties: { defaults: { deploymentName: 'blue' } } }]],
  [/models\/\{name\}\/versions\/\{version\}$/, [{ properties: { ...described, modelUri: `${STORE}/models/heart` } }]],
  [/codes\/\{name\}\/versions\/\{version\}$/, [{ properties: { codeUri: `${STORE}/models/heart` } }]],
  [
    /data\/\{name\}\/versions\/\{version\}$/,
    [{ properties: { ...described, dataType: 'uri_folder', dataUri: `${STORE}/in` } }],
  ],
  [
    /components\/\{name\}\/versions\/\{version\}$/,
    [{ properties: { componentSpec: STEP } }, { properties: { componentSpec: FLOW } }],
  ],
  [
    /environments\/\{name\}\/versions\/\{version\}$/,
    [{ properties: { image: 'python:3.11', condaFile: 'dependencies: [python=3.11, pip]' } }],
  ],
  [/\/(?:models|codes|data|components|environments)\/\{name\}$/, [{ properties: { ...described, isArchived: true } }]],
  [
    /datastores\/\{name\}$/,
    [{ properties: { ...described, datastoreType: 'AzureBlob', accountName: 'acct', containerName: 'data' } }],
  ],
  [
    /computes\/\{name\}$/,
    [{ properties: { computeType: 'AmlCompute', properties: { scaleSettings: { maxNodeCount: 2 } } } }],
  ],
  [/runs\/\{run\}$/, [{ displayName: 'n', tags: { a: '1' }, properties: { b: '2' }, hidden: true }]],
  [/rundata$/, [{ runId: 'run-1' }]],
  [/dataversion\/\{operation\}$/, [{ values: ['azureml://x/data/azureml_run-1_output_data_score/versions/1'] }]],
];

/** Bodies of one operation that are right in a furnished app; none for a route that takes none. */
export const validBodies = (operation: string): readonly Json[] =>
  BODIES.find(([end]) => end.test(operation))?.[1].map((body) => JSON.parse(JSON.stringify(body)) as Json) ?? [];
