import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { JobBody, startApp, WORKSPACE, type App } from '../support/app.ts';

const SCRIPT = `
export async function* run(miniBatch) {
  for (const file of miniBatch) {
    const text = await file.text();
    if (text.includes('poison')) throw new Error('poisoned');
    yield { name: file.name, length: text.trim().length };
  }
}
`;

const literal = (value: string) => ({ job_input_type: 'literal', value });
const folder = (path: string) => ({
  jobInputType: 'uri_folder',
  uri: `azureml://datastores/workspaceblobstore/paths/${path}/`,
});

/** Files are cut into one word each, then scored by a deployment, then counted. */
const JOBS = {
  cut: {
    type: 'command',
    componentId: `${WORKSPACE}/components/cut/versions/1`,
    inputs: { data: literal('${{parent.inputs.data}}') },
  },
  score: {
    type: 'parallel',
    componentId: `${WORKSPACE}/components/lengths/versions/1`,
    inputs: { files: literal('${{parent.jobs.cut.outputs.out}}') },
    outputs: { score: literal('${{parent.outputs.scores}}') },
  },
  count: {
    type: 'command',
    componentId: `${WORKSPACE}/components/count/versions/1`,
    inputs: { scores: literal('${{parent.jobs.score.outputs.score}}') },
    outputs: { out: literal('${{parent.outputs.count}}') },
  },
};

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
    mini_batch_size: '1',
    error_threshold: 0,
    task: {
      type: 'model',
      model: 'azureml:lengths',
      append_row_to: '${{outputs.score}}',
      environment: 'azureml:any:1',
    },
  },
  count: {
    type: 'command',
    command: 'wc -l < ${{inputs.scores}}/predictions.csv > ${{outputs.out}}/lines',
    inputs: { scores: { type: 'uri_folder' } },
    outputs: { out: { type: 'uri_folder' } },
  },
};

let app: App;
beforeAll(async () => {
  app = await startApp({ BATCHPOINT_ALLOW_CODE: 'true' });
  await app.upload({ 'code/lengths/main.mjs': SCRIPT, 'texts/a.txt': 'one three', 'bad/a.txt': 'one poison' });
  await put('/codes/lengths/versions/1', { codeUri: 'azureml://datastores/workspaceblobstore/paths/code/lengths' });
  await app.deploy(
    'lengths',
    { 'nothing.txt': Buffer.from('-') },
    { codeConfiguration: { codeId: 'azureml:lengths:1', scoringScript: 'main.mjs' } },
  );
  for (const [name, spec] of Object.entries(COMPONENTS))
    await put(`/components/${name}/versions/1`, { componentSpec: { name, version: '1', ...spec } });
});
afterAll(() => app.stop());

async function put(path: string, properties: object): Promise<void> {
  const answer = await app.send('PUT', `${WORKSPACE}${path}`, { properties });
  expect(answer.status, JSON.stringify(answer.body)).toBe(201);
}

async function run(name: string, data: string): Promise<JobBody> {
  const outputs = { scores: { jobOutputType: 'uri_folder' }, count: { jobOutputType: 'uri_folder' } };
  await put(`/jobs/${name}`, { jobType: 'Pipeline', inputs: { data: folder(data) }, outputs, jobs: JOBS });
  for (const until = Date.now() + 60_000; ; await wait(50)) {
    const job = JobBody.parse((await app.send('GET', `${WORKSPACE}/jobs/${name}`)).body);
    if (['Completed', 'Failed', 'Canceled'].includes(job.properties.status)) return job;
    if (Date.now() > until) throw new Error(`job ${name} does not end: ${job.properties.status}`);
  }
}

describe('a step that scores with a deployment', () => {
  it('is a job of its own between other steps, whose predictions are its output', async () => {
    expect((await run('lengths-1', 'texts')).properties.status).toBe('Completed');
    expect(await app.text('azureml/lengths-1/scores/predictions.csv')).toBe('name,length\none.txt,3\nthree.txt,5\n');
    expect((await app.text('azureml/lengths-1/count/lines'))?.trim()).toBe('3');
  });

  it('is taken over while its deployment is the same, and runs again when that was changed', async () => {
    const reused = async (job: string) => {
      const { body } = await app.send('GET', `/history/v1.0${WORKSPACE}/runs/${job}/children`);
      return JSON.stringify(body)
        .match(/"azureml.isreused":"(true|false)"/g)
        ?.map((text) => text.endsWith('"true"'));
    };
    await run('lengths-3', 'texts');
    expect(await reused('lengths-3')).toEqual([true, true, true]);
    expect(await app.text('azureml/lengths-3/scores/predictions.csv')).toBe('name,length\none.txt,3\nthree.txt,5\n');
    const changed = await app.send('PATCH', `${WORKSPACE}/batchEndpoints/lengths/deployments/blue`, {
      properties: { properties: { 'batchpoint.outputFormat': 'azureml' } },
    });
    expect(changed.status, JSON.stringify(changed.body)).toBe(200);
    await run('lengths-4', 'texts');
    expect(await reused('lengths-4')).toEqual([true, false, false]);
    expect(await app.text('azureml/lengths-4/scores/predictions.csv')).toBe('one.txt 3\nthree.txt 5\n');
  });

  it('fails with the reason of its job, and what follows is not run', async () => {
    expect((await run('lengths-2', 'bad')).properties.status).toBe('Failed');
    const { body } = await app.send('GET', `/history/v1.0${WORKSPACE}/runs/lengths-2/details`);
    expect(JSON.stringify(body)).toContain("Step 'score' failed: 1 file failed; the error threshold is 0.");
    expect(await app.text('azureml/lengths-2/count/lines')).toBeUndefined();
  });
});
