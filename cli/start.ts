import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { parseArgs } from 'node:util';
import { ensureBuilt } from './build.ts';
import { ensureCertificate, type CertificateFiles } from './certificate.ts';
import { client, type Workspace } from './client.ts';
import { exitWith, untilAborted } from './exit.ts';
import { lockFolder } from './folder-lock.ts';
import { chooseHost, describeHost, type FunctionsHost } from './functions-host.ts';
import { startIdentityServer, type IdentityServer } from './identity-server.ts';
import { isFree } from './port.ts';
import { pythonGuide } from './python-guide.ts';
import { readableOutput } from './log-lines.ts';
import { createSample, SAMPLE, sampleInvocation, uploadSample } from './sample.ts';
import { DATA_FOLDER, KEY_FILE, PROJECT, startStack, type Stack } from './stack.ts';
import { localWorkspace } from './workspace.ts';

const HELP = `Usage: npm start [-- options]

Starts the app and its storage (Azurite) and keeps them running, with a sample endpoint to try. Ctrl-C ends both.

  --port N           the app's port (7071; 0: a free one)
  --storage-port N   the first of the storage's three ports (10000; 0: free ones)
  --host NAME        embedded or func (Azure Functions Core Tools); func where it is on PATH
  --https            serve app and storage over HTTPS and give tokens as App Service does: what the unmodified azure-ai-ml
                     client needs (prints how to point it here; embedded host only)
  --reset            begin with empty storage (.batchpoint/azurite is deleted)
  --help             show this text

To see traces and metrics: BATCHPOINT_TELEMETRY=console npm start (docs/telemetry.md).
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

async function deploySample({ url, connectionString, issuer }: Stack, workspace: Workspace): Promise<void> {
  await uploadSample(connectionString, PROJECT);
  await createSample(
    client(url, workspace, () => issuer.sign({ audience: 'api://batchpoint' })),
    workspace,
  );
}

/** Certificates that this process and Azure's libraries in it trust from now on. */
async function trust({ ca }: CertificateFiles): Promise<void> {
  setDefaultCACertificates([...getCACertificates('default'), await readFile(ca, 'utf8')]);
}

function welcome(stack: Stack, certificate?: CertificateFiles): void {
  const jobs = `curl -s${certificate ? ` --cacert ${certificate.ca}` : ''} ${stack.url}/endpoints/${SAMPLE.endpoint}/jobs -H "Authorization: Bearer $(npm run -s token)"`;
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

interface Start {
  readonly appPort: number;
  readonly storagePort: number;
  readonly functionsHost: FunctionsHost;
  readonly https: boolean;
  readonly reset: boolean;
}

/** Runs app and storage until one of them ends, which is an error, or the command is to end. */
async function serve(
  { appPort, storagePort, functionsHost, https, reset }: Start,
  signal: AbortSignal,
): Promise<never> {
  await ensureBuilt(PROJECT, (text) => process.stdout.write(text));
  const folder = join(DATA_FOLDER, 'azurite');
  if (reset) await rm(folder, { recursive: true, force: true });
  const certificate = https ? await ensureCertificate(DATA_FOLDER) : undefined;
  if (certificate) await trust(certificate);
  process.stdout.write(`Host: ${describeHost(functionsHost)}\n`);
  const stack = await startStack({
    port: appPort,
    storagePort,
    folder,
    functionsHost,
    signal,
    keyFile: KEY_FILE,
    ...(certificate ? { certificate } : {}),
    onOutput: readableOutput((text) => process.stdout.write(text)),
  });
  const ended = stack.ended.then((line) => {
    throw new Error(line);
  });
  let identity: IdentityServer | undefined;
  try {
    const workspace = await localWorkspace(PROJECT);
    await Promise.race([deploySample(stack, workspace), ended, untilAborted(signal)]);
    if (certificate) {
      identity = await startIdentityServer(stack.issuer, stack.url);
      process.stdout.write(pythonGuide(certificate.ca, identity, stack, workspace));
    }
    welcome(stack, certificate);
    return await Promise.race([ended, untilAborted(signal)]);
  } finally {
    await identity?.stop();
    await stack.stop();
  }
}

await exitWith(async (signal) => {
  const { values } = parseArgs({
    options: {
      port: { type: 'string', default: '7071' },
      'storage-port': { type: 'string', default: '10000' },
      host: { type: 'string' },
      https: { type: 'boolean' },
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
  const { https = false, reset = false } = values;
  // Core Tools take a certificate in another form only (.pfx).
  const functionsHost = await chooseHost(https ? (values.host ?? 'embedded') : values.host, process.env['PATH']);
  if (https && functionsHost.name !== 'embedded') throw new Error('--https works with --host embedded only.');
  await assertFree([appPort], '--port');
  if (storagePort !== 0) await assertFree([storagePort, storagePort + 1, storagePort + 2], '--storage-port');
  const unlock = await lockFolder(DATA_FOLDER);
  try {
    await serve({ appPort, storagePort, functionsHost, https, reset }, signal);
  } finally {
    await unlock();
  }
});
