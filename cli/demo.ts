import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { ensureBuilt } from './build.ts';
import { client } from './client.ts';
import { exitWith } from './exit.ts';
import { readableOutput } from './log-lines.ts';
import { follow } from './progress.ts';
import { accuracy, createSample, download, SAMPLE, sampleInvocation, uploadSample } from './sample.ts';
import { DATA_FOLDER, KEY_FILE, PROJECT, startStack, type Stack } from './stack.ts';
import { localWorkspace } from './workspace.ts';

const HELP = `Usage: npm run demo [-- --verbose]

Starts storage (Azurite, in memory) and the app on free ports, deploys the sample model, scores a folder
of CSV files with it, and shows the predictions and how many of them are right. Leaves nothing running.

  --verbose   show what the app prints
  --help      show this text
`;

const SHOWN_ROWS = 6;

async function demo(stack: Stack): Promise<void> {
  const workspace = await localWorkspace(PROJECT);
  const say = (text: string): void => void process.stdout.write(`${text}\n`);
  say(`✓ Started the app on ${stack.url} and its storage`);
  const api = client(stack.url, workspace, () => stack.issuer.sign({ audience: 'api://batchpoint' }));

  const files = await uploadSample(stack.connectionString, PROJECT);
  say(`✓ Uploaded the model and ${files} CSV files to ${SAMPLE.input}`);
  await createSample(api, workspace);
  say(`✓ Created endpoint '${SAMPLE.endpoint}' with the ONNX deployment '${SAMPLE.deployment}'`);

  const started = performance.now();
  const { name } = await api.invoke(SAMPLE.endpoint, sampleInvocation);
  say(`✓ Invoked it: job ${name}`);
  const job = await follow(api, SAMPLE.endpoint, name, process.stdout);
  if (job.properties.status !== 'Completed')
    throw new Error(`The job ended as ${job.properties.status}: ${job.error?.message ?? ''}`);
  const seconds = ((performance.now() - started) / 1000).toFixed(1);

  const uri = job.properties.outputData?.['score']?.uri;
  if (uri === undefined) throw new Error('The job names no output.');
  const predictions = await download(stack.connectionString, uri);
  const saved = await saveCopy(predictions);
  say(`\n${predictions.toString('utf8').split('\n').slice(0, SHOWN_ROWS).join('\n')}\n…`);
  const { right, of } = await accuracy(predictions, PROJECT);
  say(`\nOutput    ${uri}`);
  say(`Copy      ${saved}`);
  say(
    `Accuracy  ${((100 * right) / of).toFixed(1)} % (${right} of ${of} rows the model had not seen), in ${seconds} s`,
  );
}

/** The demo's storage is gone afterwards; a person may want to open the file. */
async function saveCopy(predictions: Buffer): Promise<string> {
  const folder = join(DATA_FOLDER, 'demo');
  await mkdir(folder, { recursive: true });
  const path = join(folder, 'predictions.csv');
  await writeFile(path, predictions);
  return path;
}

await exitWith(async (signal) => {
  const { values } = parseArgs({ options: { verbose: { type: 'boolean' }, help: { type: 'boolean' } } });
  if (values.help) {
    process.stdout.write(HELP);
    return;
  }
  await ensureBuilt(PROJECT, (text) => process.stdout.write(text));
  const stack = await startStack({
    port: 0,
    storagePort: 0,
    keyFile: KEY_FILE,
    ...(values.verbose ? { onOutput: readableOutput((text) => process.stdout.write(text)) } : {}),
  });
  signal.addEventListener('abort', () => void stack.stop());
  try {
    await demo(stack);
  } catch (error) {
    if (!values.verbose && !signal.aborted) process.stderr.write(`\nWhat the app printed last:\n${stack.tail()}\n`);
    throw error;
  } finally {
    await stack.stop();
  }
});
