import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { startApp, WORKSPACE, type App } from '../support/app.ts';

const HISTORY = `/history/v1.0${WORKSPACE}`;
const END_WITHIN_MS = 60_000;

/** Commands of bash alone: words of the input, one of them, and all that others wrote. */
const COMPONENTS = {
  words: {
    command:
      "cat ${{inputs.data}}/* | tr ' ' '\\n' > ${{outputs.out}}/words && echo counted $(wc -l < ${{outputs.out}}/words)",
    inputs: { data: { type: 'uri_folder' } },
    outputs: { out: { type: 'uri_folder' } },
  },
  pick: {
    command:
      'sed -n ${{inputs.line}}p ${{inputs.words}}/words > ${{outputs.out}}/word $[[&& printf %s ${{inputs.mark}} >> ${{outputs.out}}/word]]',
    inputs: {
      words: { type: 'uri_folder' },
      line: { type: 'integer', default: '1', min: '1', max: '9' },
      mark: { type: 'string', optional: true },
    },
    outputs: { out: { type: 'uri_folder' } },
  },
  join: {
    command: 'cat ${{inputs.left}}/word ${{inputs.right}}/word > ${{outputs.out}}/joined',
    inputs: { left: { type: 'uri_folder' }, right: { type: 'uri_folder' } },
    outputs: { out: { type: 'uri_folder' } },
  },
  fail: { command: 'echo before; echo broken >&2; exit 3', inputs: {}, outputs: {} },
  sleep: { command: 'echo asleep; sleep 60', inputs: {}, outputs: {} },
} as const;

const literal = (value: string) => ({ job_input_type: 'literal', value });
const componentId = (name: string) => `${WORKSPACE}/components/${name}/versions/1`;
const step = (component: string, inputs: Record<string, object> = {}, outputs: Record<string, object> = {}) => ({
  type: 'command',
  componentId: componentId(component),
  inputs,
  outputs,
});

/** Two words of the data side by side, and both of them. */
const GRAPH = {
  split: step('words', { data: literal('${{parent.inputs.data}}') }),
  left: step('pick', { words: literal('${{parent.jobs.split.outputs.out}}'), line: literal('2') }),
  right: step('pick', {
    words: literal('${{parent.jobs.split.outputs.out}}'),
    line: literal('${{parent.inputs.line}}'),
    mark: literal('${{parent.inputs.mark}}'),
  }),
  both: step(
    'join',
    { left: literal('${{parent.jobs.left.outputs.out}}'), right: literal('${{parent.jobs.right.outputs.out}}') },
    { out: literal('${{parent.outputs.result}}') },
  ),
};
const SPEC = {
  inputs: {
    data: { type: 'uri_folder' },
    line: { type: 'integer', default: '1' },
    mark: { type: 'string', default: '!' },
  },
  outputs: { result: { type: 'uri_folder' } },
};
const value = (text: string) => ({ jobInputType: 'literal', value: text });
const data = (folder: string) => ({
  jobInputType: 'uri_folder',
  uri: `azureml://datastores/workspaceblobstore/paths/${folder}/`,
});

/** A job of the graph over the texts. */
const WORDS = {
  inputs: { data: data('texts'), line: value('1'), mark: value('!') },
  outputs: { result: { jobOutputType: 'uri_folder' } },
  jobs: GRAPH,
};

let app: App;
beforeAll(async () => {
  app = await startApp({ BATCHPOINT_ALLOW_CODE: 'true' });
  await app.upload({ 'texts/a.txt': 'one two ', 'texts/b.txt': 'three four' });
  for (const [name, spec] of Object.entries(COMPONENTS))
    await done(201, 'PUT', `/components/${name}/versions/1`, {
      properties: { componentSpec: { type: 'command', name, version: '1', ...spec } },
    });
});
afterAll(() => app.stop());

async function done(status: number, method: string, path: string, body?: unknown): Promise<unknown> {
  const answer = await app.send(method, path.startsWith('/history') ? path : `${WORKSPACE}${path}`, body);
  expect(answer.status, JSON.stringify(answer.body)).toBe(status);
  return answer.body;
}

const Job = z.looseObject({
  name: z.string(),
  properties: z.looseObject({ status: z.string(), properties: z.record(z.string(), z.string()) }),
});
const Runs = z.object({
  value: z.array(
    z.looseObject({
      runId: z.string(),
      displayName: z.string(),
      status: z.string(),
      properties: z.record(z.string(), z.string()),
      outputs: z.record(z.string(), z.looseObject({ assetId: z.string() })),
    }),
  ),
});
const Details = z.looseObject({
  logFiles: z.record(z.string(), z.string()),
  error: z.looseObject({ error: z.looseObject({ code: z.string(), message: z.string() }) }).nullable(),
});

async function ended(name: string): Promise<string> {
  for (const until = Date.now() + END_WITHIN_MS; ; await wait(50)) {
    const { status } = Job.parse(await done(200, 'GET', `/jobs/${name}`)).properties;
    if (['Completed', 'Failed', 'Canceled'].includes(status)) return status;
    if (Date.now() > until) throw new Error(`job ${name} does not end: ${status}`);
  }
}

const submit = (name: string, body: object) =>
  done(201, 'PUT', `/jobs/${name}`, { properties: { jobType: 'Pipeline', experimentName: 'tests', ...body } });

async function run(name: string, body: object): Promise<string> {
  await submit(name, body);
  return ended(name);
}

const children = async (name: string) => Runs.parse(await done(200, 'GET', `${HISTORY}/runs/${name}/children`)).value;
const details = async (run: string) => Details.parse(await done(200, 'GET', `${HISTORY}/runs/${run}/details`));

async function logOf(run: string): Promise<string> {
  const [url = ''] = Object.values((await details(run)).logFiles);
  return (await fetch(url)).text();
}

describe('a pipeline that is run directly', () => {
  it('runs its steps, each with a run and a log of its own, and its output lies at the default place', async () => {
    expect(await run('words-1', WORDS)).toBe('Completed');
    expect(await app.text('azureml/words-1/result/joined')).toBe('two\none\n!');
    const runs = await children('words-1');
    expect(runs.map(({ displayName, status }) => [displayName, status])).toEqual([
      ['split', 'Completed'],
      ['left', 'Completed'],
      ['right', 'Completed'],
      ['both', 'Completed'],
    ]);
    expect(runs.map(({ properties }) => properties['azureml.moduleName'])).toEqual(['words', 'pick', 'pick', 'join']);
    expect(await logOf(runs[0]?.runId ?? '')).toContain('counted 3');
    expect(await logOf('words-1')).toContain('pipeline completed');
  });

  it('an unchanged one is not run again, fills the new job’s output, and says so', async () => {
    expect(await run('words-again', WORDS)).toBe('Completed');
    expect(await app.text('azureml/words-again/result/joined')).toBe('two\none\n!');
    const runs = await children('words-again');
    expect(runs.map(({ properties }) => properties['azureml.isreused'])).toEqual(['true', 'true', 'true', 'true']);
    expect(await run('words-forced', { ...WORDS, settings: { force_rerun: 'True' } })).toBe('Completed');
    expect((await children('words-forced')).map(({ properties }) => properties['azureml.isreused'])).toEqual([
      'false',
      'false',
      'false',
      'false',
    ]);
  });

  it('a value reaches its command as it is, and an output goes where the job says', async () => {
    const mark = `it's "$(touch /tmp/x)" \`id\`\n& more`;
    const inputs = { ...WORDS.inputs, line: value('3'), mark: value(mark) };
    const uri = 'azureml://datastores/workspaceblobstore/paths/chosen/here/';
    const outputs = { result: { jobOutputType: 'uri_folder', uri } };
    expect(await run('words-2', { ...WORDS, inputs, outputs })).toBe('Completed');
    expect(await app.text('chosen/here/joined')).toBe(`two\nthree\n${mark}`);
  });

  it('a step that fails fails the job with its words; what follows is not run', async () => {
    const jobs = { bad: step('fail'), ...GRAPH };
    expect(await run('failing', { ...WORDS, jobs, settings: { force_rerun: true } })).toBe('Failed');
    const { error } = (await details('failing')).error ?? {};
    expect(error?.message).toContain("Step 'bad' failed: ");
    expect(error?.message).toContain('exit code 3');
    const [bad] = await children('failing');
    expect(await logOf(bad?.runId ?? '')).toMatch(/before\n(.*\n)*broken\n/);
    expect((await details(bad?.runId ?? '')).error?.error.code).toBe('CommandFailed');
  });

  it('is cancelled while a command runs', async () => {
    await submit('sleeping', { ...WORDS, jobs: { nap: step('sleep'), ...GRAPH } });
    await expect
      .poll(async () => (await children('sleeping'))[0]?.status, { timeout: END_WITHIN_MS, interval: 50 })
      .toBe('Running');
    await done(202, 'POST', '/jobs/sleeping/cancel');
    expect(await ended('sleeping')).toBe('Canceled');
  });

  it('is refused whole, and not made, when its graph is wrong', async () => {
    const circle = {
      a: step('join', {
        left: literal('${{parent.jobs.b.outputs.out}}'),
        right: literal('${{parent.jobs.b.outputs.out}}'),
      }),
      b: step('join', {
        left: literal('${{parent.jobs.a.outputs.out}}'),
        right: literal('${{parent.jobs.a.outputs.out}}'),
      }),
    };
    const answer = await app.send('PUT', `${WORKSPACE}/jobs/circle`, {
      properties: { jobType: 'Pipeline', jobs: circle },
    });
    expect([answer.status, JSON.stringify(answer.body)]).toEqual([400, expect.stringContaining('cycle')]);
    await done(404, 'GET', '/jobs/circle');
  });
});

describe('a pipeline behind an endpoint', () => {
  beforeAll(async () => {
    const jobs = Object.fromEntries(
      Object.entries(GRAPH).map(([name, { componentId: component, inputs, outputs }]) => [
        name,
        {
          type: 'command',
          component: `azureml:${component}`,
          inputs: Object.fromEntries(
            Object.entries(inputs).map(([input, bound]) => [input, (bound as { value: string }).value]),
          ),
          outputs: Object.fromEntries(
            Object.entries(outputs).map(([output, bound]) => [output, (bound as { value: string }).value]),
          ),
        },
      ]),
    );
    await done(201, 'PUT', '/components/sentence/versions/1', {
      properties: { componentSpec: { type: 'pipeline', name: 'sentence', version: '1', ...SPEC, jobs } },
    });
    await done(201, 'PUT', '/batchEndpoints/sentences', { properties: {} });
    const deploymentConfiguration = {
      deploymentConfigurationType: 'PipelineComponent',
      componentId: { referenceType: 'Id', assetId: componentId('sentence') },
      settings: { continue_on_step_failure: 'false' },
    };
    await done(201, 'PUT', '/batchEndpoints/sentences/deployments/blue', { properties: { deploymentConfiguration } });
    await done(200, 'PATCH', '/batchEndpoints/sentences', { properties: { defaults: { deploymentName: 'blue' } } });
  });

  it('is invoked with its own inputs, and its job is the endpoint’s', async () => {
    const body = { properties: { inputData: { data: data('texts'), line: { jobInputType: 'Literal', value: 3 } } } };
    const answer = await app.send('POST', '/endpoints/sentences/jobs', body);
    expect(answer.status, JSON.stringify(answer.body)).toBe(201);
    const { name } = Job.parse(answer.body);
    const job = await app.finished('sentences', name);
    expect(job.properties.status, JSON.stringify(job)).toBe('Completed');
    expect(await app.text(`azureml/${name}/result/joined`)).toBe('two\nthree\n!');
    expect(Job.parse(await done(200, 'GET', `/jobs/${name}`)).properties.status).toBe('Completed');
  });

  it('an input of a step is refused, with the inputs that there are', async () => {
    const body = { properties: { inputData: { data: data('texts'), words: data('texts') } } };
    const answer = await app.send('POST', '/endpoints/sentences/jobs', body);
    expect([answer.status, JSON.stringify(answer.body)]).toEqual([400, expect.stringContaining('data, line, mark')]);
  });
});
