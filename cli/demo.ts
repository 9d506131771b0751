import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { z } from 'zod';
import { ensureBuilt } from './build.ts';
import { client, type Client, type Job, type Workspace } from './client.ts';
import { loadExample, type Example } from './example.ts';
import { exitWith } from './exit.ts';
import { readableOutput } from './log-lines.ts';
import { follow } from './progress.ts';
import {
  accuracy,
  createSample,
  defaultContainer,
  download,
  SAMPLE,
  sampleInvocation,
  uploadSample,
} from './sample.ts';
import { DATA_FOLDER, KEY_FILE, PROJECT, startStack, type Stack } from './stack.ts';
import { localWorkspace } from './workspace.ts';

const HELP = `Usage: npm run demo [-- options]

Starts storage (Azurite, in memory) and the app on free ports, deploys the sample model, scores a folder
of CSV files with it, and shows the predictions and how many of them are right. Leaves nothing running.

  --example NAME   another folder of examples/ that has a deployment.yml
  --verbose        show what the app prints
  --help           show this text
`;

const SHOWN_ROWS = 6;

const say = (text: string): void => void process.stdout.write(`${text}\n`);

/** What is deployed and scored. */
interface Scored {
  readonly endpoint: string;
  readonly invocation: object;
  readonly deploy: (connectionString: string, api: Client, workspace: Workspace) => Promise<void>;
  /** The last line. */
  readonly remark: (predictions: Buffer, seconds: string) => Promise<string>;
}

const sample: Scored = {
  endpoint: SAMPLE.endpoint,
  invocation: sampleInvocation,
  async deploy(connectionString, api, workspace) {
    const files = await uploadSample(connectionString, PROJECT);
    say(`✓ Uploaded the model and ${files} CSV files to ${SAMPLE.input}`);
    await createSample(api, workspace);
    say(`✓ Created endpoint '${SAMPLE.endpoint}' with the ONNX deployment '${SAMPLE.deployment}'`);
  },
  async remark(predictions, seconds) {
    const { right, of } = await accuracy(predictions, PROJECT);
    const percent = ((100 * right) / of).toFixed(1);
    return `Accuracy  ${percent} % (${right} of ${of} rows the model had not seen), in ${seconds} s`;
  },
};

const scoredExample = ({ endpoint, deployment, input, upload, create }: Example): Scored => ({
  endpoint,
  invocation: { properties: { inputData: { data: { jobInputType: 'UriFolder', uri: input } } } },
  async deploy(connectionString, api, workspace) {
    const container = defaultContainer(connectionString);
    await container.createIfNotExists();
    say(`✓ Uploaded its model and code, and ${await upload(container)} files to ${input}`);
    await create(api, workspace);
    say(`✓ Created endpoint '${endpoint}' with the deployment '${deployment}'`);
  },
  remark: async (_predictions, seconds) => `Time      ${seconds} s`,
});

async function demo(stack: Stack, { endpoint, invocation, deploy, remark }: Scored): Promise<void> {
  const workspace = await localWorkspace(PROJECT);
  say(`✓ Started the app on ${stack.url} and its storage`);
  const api = client(stack.url, workspace, () => stack.issuer.sign({ audience: 'api://batchpoint' }));
  await deploy(stack.connectionString, api, workspace);

  const started = performance.now();
  const { name } = await api.invoke(endpoint, invocation);
  say(`✓ Invoked it: job ${name}`);
  const job = await follow(api, endpoint, name, process.stdout);
  if (job.properties.status !== 'Completed')
    throw new Error(`The job ended as ${job.properties.status}: ${job.error?.message ?? ''}`);
  const seconds = ((performance.now() - started) / 1000).toFixed(1);

  const uri = job.properties.outputData?.['score']?.uri;
  if (uri === undefined) throw new Error('The job names no output.');
  const predictions = await download(stack.connectionString, uri);
  const saved = await saveCopy(predictions);
  const lines = predictions.toString('utf8').trimEnd().split('\n');
  say(`\n${lines.slice(0, SHOWN_ROWS).join('\n')}${lines.length > SHOWN_ROWS ? '\n…' : ''}`);
  for (const { file, reason } of failuresOf(job)) say(`\nFailed    ${file}: ${reason}`);
  say(`\nOutput    ${uri}`);
  say(`Copy      ${saved}`);
  say(await remark(predictions, seconds));
}

const Failures = z.array(z.object({ file: z.string(), reason: z.string() }));

const failuresOf = ({ properties }: Job): z.infer<typeof Failures> =>
  Failures.parse(JSON.parse(properties.properties['batchpoint.failures'] ?? '[]'));

/** The demo's storage is gone afterwards; a person may want to open the file. */
async function saveCopy(predictions: Buffer): Promise<string> {
  const folder = join(DATA_FOLDER, 'demo');
  await mkdir(folder, { recursive: true });
  const path = join(folder, 'predictions.csv');
  await writeFile(path, predictions);
  return path;
}

await exitWith(async (signal) => {
  const { values } = parseArgs({
    options: { example: { type: 'string' }, verbose: { type: 'boolean' }, help: { type: 'boolean' } },
  });
  if (values.help) {
    process.stdout.write(HELP);
    return;
  }
  const scored = values.example === undefined ? sample : scoredExample(await loadExample(PROJECT, values.example));
  await ensureBuilt(PROJECT, (text) => process.stdout.write(text));
  const stack = await startStack({
    port: 0,
    storagePort: 0,
    keyFile: KEY_FILE,
    ...(values.verbose ? { onOutput: readableOutput((text) => process.stdout.write(text)) } : {}),
  });
  signal.addEventListener('abort', () => void stack.stop());
  try {
    await demo(stack, scored);
  } catch (error) {
    if (!values.verbose && !signal.aborted) process.stderr.write(`\nWhat the app printed last:\n${stack.tail()}\n`);
    throw error;
  } finally {
    await stack.stop();
  }
});
