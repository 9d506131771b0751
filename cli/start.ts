import { once } from 'node:events';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { ensureBuilt } from './build.ts';
import { client } from './client.ts';
import { exitWith } from './exit.ts';
import { isFree } from './port.ts';
import { readableOutput } from './log-lines.ts';
import { createSample, SAMPLE, sampleInvocation, uploadSample } from './sample.ts';
import { DATA_FOLDER, KEY_FILE, PROJECT, startStack, type Stack } from './stack.ts';
import { localWorkspace } from './workspace.ts';

const HELP = `Usage: npm start [-- options]

Starts the app and its storage (Azurite) and keeps them running, with a sample endpoint to try. Ctrl-C ends both.

  --port N           the app's port (7071; 0: a free one)
  --storage-port N   the first of the storage's three ports (10000; 0: free ones)
  --reset            begin with empty storage (.batchpoint/azurite is deleted)
  --help             show this text
`;

function port(text: string, option: string): number {
  if (!/^\d{1,5}$/.test(text) || Number(text) > 65_535)
    throw new Error(`${option} wants a port from 0 to 65535, not '${text}'.`);
  return Number(text);
}

async function assertFree(ports: readonly number[], option: string): Promise<void> {
  for (const one of ports)
    if (!(await isFree(one)))
      throw new Error(
        `Port ${one} is taken. Stop what listens there, or give another with ${option} (0 picks a free one).`,
      );
}

async function welcome(stack: Stack): Promise<void> {
  const jobs = `curl -s ${stack.url}/endpoints/${SAMPLE.endpoint}/jobs -H "Authorization: Bearer $(npm run -s token)"`;
  process.stdout.write(`
Sample data is at ${SAMPLE.input}
Score it, from this folder:

  ${jobs} -H "Content-Type: application/json" -d '${JSON.stringify(sampleInvocation)}'

See its jobs:

  ${jobs}

Storage: ${stack.connectionString.replace(/AccountKey=[^;]*/, 'AccountKey=(the usual development key)')}
Ctrl-C ends both.
`);
}

await exitWith(async (signal) => {
  const { values } = parseArgs({
    options: {
      port: { type: 'string', default: '7071' },
      'storage-port': { type: 'string', default: '10000' },
      reset: { type: 'boolean' },
      help: { type: 'boolean' },
    },
  });
  if (values.help) {
    process.stdout.write(HELP);
    return;
  }
  const appPort = port(values.port, '--port');
  const storagePort = port(values['storage-port'], '--storage-port');
  await assertFree([appPort], '--port');
  if (storagePort !== 0) await assertFree([storagePort, storagePort + 1, storagePort + 2], '--storage-port');
  await ensureBuilt(PROJECT, (text) => process.stdout.write(text));
  const folder = join(DATA_FOLDER, 'azurite');
  if (values.reset) await rm(folder, { recursive: true, force: true });
  const stack = await startStack({
    port: appPort,
    storagePort,
    folder,
    keyFile: KEY_FILE,
    onOutput: readableOutput((text) => process.stdout.write(text)),
  });
  try {
    const workspace = await localWorkspace(PROJECT);
    await uploadSample(stack.connectionString, PROJECT);
    await createSample(
      client(stack.url, workspace, () => stack.issuer.sign({ audience: 'api://batchpoint' })),
      workspace,
    );
    await welcome(stack);
    const ended = await Promise.race([stack.ended.then(() => true), once(signal, 'abort').then(() => false)]);
    if (ended) throw new Error('The app ended by itself.');
  } finally {
    await stack.stop();
  }
});
