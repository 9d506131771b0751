import { inject } from 'vitest';
import { z } from 'zod';
import { JobBody, overFolder, startApp, WORKSPACE, type App } from '../support/app.ts';

/** Importing mlflow takes a minute on a busy machine. */
const END_WITHIN_MS = 240_000;

/** An app whose Python is the one with the packages of requirements.txt. */
export const startPythonApp = (): Promise<App> => startApp({ BATCHPOINT_PYTHON: inject('python') });

/** Endpoint, code and default deployment over a scoring script of this text; settings as a deployment's properties have them. */
export async function deployScript(
  app: App,
  endpoint: string,
  script: string,
  settings: Readonly<Record<string, unknown>> = {},
): Promise<void> {
  const code = `code/${endpoint}`;
  await app.upload({ [`${code}/score.py`]: script });
  const registered = await app.send('PUT', `${WORKSPACE}/codes/${endpoint}/versions/1`, {
    properties: { codeUri: `azureml://datastores/workspaceblobstore/paths/${code}` },
  });
  if (registered.status >= 300) throw new Error(`code: ${JSON.stringify(registered.body)}`);
  const deployed = await app.deploy(
    endpoint,
    { 'factor.txt': Buffer.from('2') },
    { codeConfiguration: { codeId: `azureml:${endpoint}:1`, scoringScript: 'score.py' }, ...settings },
  );
  if (deployed.status >= 300) throw new Error(`deployment: ${JSON.stringify(deployed.body)}`);
}

/** Invokes the endpoint over a folder; answers the job's name. */
export async function invoke(app: App, endpoint: string, folder: string): Promise<string> {
  const { body } = await app.send('POST', `/endpoints/${endpoint}/jobs`, overFolder(`${folder}/`));
  return JobBody.parse(body).name;
}

export interface Ended {
  readonly status: string;
  readonly error: { readonly code: string; readonly message: string } | undefined;
  /** predictions.csv. */
  readonly output: string | undefined;
  /** The lines of the errors file. */
  readonly failures: readonly unknown[];
  /** What people read of it while it runs and afterwards. */
  readonly log: string;
}

const Details = z.object({ logFiles: z.record(z.string(), z.string()) });

/** A job from its invocation to its end, with what it wrote. */
export async function run(app: App, endpoint: string, folder: string): Promise<Ended> {
  return ended(app, endpoint, await invoke(app, endpoint, folder));
}

/** Waits for the job's end and reads what it wrote. */
export async function ended(app: App, endpoint: string, name: string): Promise<Ended> {
  const { properties, error } = await app.finished(endpoint, name, END_WITHIN_MS);
  const output = `azureml/${name}/score/predictions.csv`;
  const failures = (await app.text(`${output}.errors.jsonl`)) ?? '';
  const details = await app.send('GET', `/history/v1.0${WORKSPACE}/runs/${name}/details`);
  const [log = ''] = Object.values(Details.parse(details.body).logFiles);
  return {
    status: properties.status,
    error,
    output: await app.text(output),
    failures: failures
      .split('\n')
      .slice(0, -1)
      .map((line): unknown => JSON.parse(line)),
    log: await (await fetch(log)).text(),
  };
}
