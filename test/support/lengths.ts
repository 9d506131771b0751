import { WORKSPACE, type App } from './app.ts';

/** Scores texts by their length; one that is poisoned fails each time. */
const SCRIPT = `
export async function* run(miniBatch) {
  for (const file of miniBatch) {
    const text = await file.text();
    if (text.includes('poison')) throw new Error('poisoned');
    await new Promise((resolve) => setTimeout(resolve, 20));
    yield { name: file.name, length: text.length };
  }
}
`;

const literal = (value: string) => ({ job_input_type: 'literal', value });

/** Words are cut into files, which the deployment scores. */
const COMPONENTS = {
  cut: {
    type: 'command',
    command: 'for word in $(cat ${{inputs.data}}/*); do echo $word > ${{outputs.out}}/$word.txt; done',
    inputs: { data: { type: 'uri_folder' } },
    outputs: { out: { type: 'uri_folder' } },
  },
  lengths: {
    type: 'parallel',
    inputs: { files: { type: 'uri_folder' } },
    outputs: { score: { type: 'uri_folder' } },
    input_data: '${{inputs.files}}',
    task: {
      type: 'model',
      model: 'azureml:lengths',
      append_row_to: '${{outputs.score}}',
      environment: 'azureml:any:1',
    },
  },
};

const STEPS = {
  cut: {
    type: 'command',
    componentId: `${WORKSPACE}/components/cut/versions/1`,
    inputs: { data: literal('${{parent.inputs.data}}') },
  },
  score: {
    type: 'parallel',
    componentId: `${WORKSPACE}/components/lengths/versions/1`,
    inputs: { files: literal('${{parent.jobs.cut.outputs.out}}') },
  },
};

async function put(app: App, path: string, properties: object, headers: Record<string, string> = {}): Promise<void> {
  const answer = await app.send('PUT', `${WORKSPACE}${path}`, { properties }, headers);
  if (answer.status >= 300) throw new Error(`PUT ${path}: ${answer.status} ${JSON.stringify(answer.body)}`);
}

/** Endpoint `lengths`, whose code scores a text by its length: two files a mini-batch, two tries, any number may fail. */
export async function deployLengths(app: App): Promise<void> {
  await app.upload({ 'code/lengths/main.mjs': SCRIPT });
  await put(app, '/codes/lengths/versions/1', {
    codeUri: 'azureml://datastores/workspaceblobstore/paths/code/lengths',
  });
  const answer = await app.deploy(
    'lengths',
    { 'nothing.txt': Buffer.from('-') },
    {
      codeConfiguration: { codeId: 'azureml:lengths:1', scoringScript: 'main.mjs' },
      miniBatchSize: 2,
      errorThreshold: -1,
      retrySettings: { maxRetries: 2, timeout: 'PT30S' },
    },
  );
  if (answer.status >= 300) throw new Error(JSON.stringify(answer.body));
}

/** Starts the pipeline `words` over the folder of that name. */
export async function putWordsPipeline(app: App, headers: Record<string, string>): Promise<void> {
  for (const [name, spec] of Object.entries(COMPONENTS))
    await put(app, `/components/${name}/versions/1`, { componentSpec: { name, version: '1', ...spec } });
  const uri = 'azureml://datastores/workspaceblobstore/paths/words/';
  const inputs = { data: { jobInputType: 'uri_folder', uri } };
  await put(app, '/jobs/words', { jobType: 'Pipeline', inputs, jobs: STEPS }, headers);
}
