import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { JobBody, overFolder, startApp, WORKSPACE, type App } from '../support/app.ts';

const SCRIPT = `
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { prefix } from './lib/prefix.js';

let words;
export async function init({ model, logger }) {
  words = (await readFile(join(model, 'counting', 'words.txt'), 'utf8')).split(' ');
  logger.info(prefix, 'has', words.length, 'words');
}
export async function* run(miniBatch) {
  for (const file of miniBatch) {
    const text = (await file.text()).trim();
    yield { name: file.name, word: words[Number(text)] ?? process.env.UNKNOWN };
  }
}
`;

let app: App;
beforeAll(async () => {
  app = await startApp();
  await app.upload({
    'code/counting/main.js': SCRIPT,
    'code/counting/lib/prefix.js': "export const prefix = 'counting';\n",
    'code/counting/package.json': '{"type":"module"}',
    'code/counting/score.rb': 'puts 1',
  });
  await put('/codes/counting/versions/1', { codeUri: 'azureml://datastores/workspaceblobstore/paths/code/counting' });
  const files = { 'words.txt': Buffer.from('zero one two three') };
  const deployed = await app.deploy('counting', files, {
    codeConfiguration: { codeId: 'azureml:counting:1', scoringScript: 'main.js' },
    environmentVariables: { UNKNOWN: 'many' },
    miniBatchSize: 2,
  });
  expect(deployed.body).toMatchObject({ properties: { codeConfiguration: { scoringScript: 'main.js' } } });
});
afterAll(() => app.stop());

async function put(path: string, properties: object): Promise<void> {
  const answer = await app.send('PUT', `${WORKSPACE}${path}`, { properties });
  expect(answer.status, JSON.stringify(answer.body)).toBe(201);
}

async function run(folder: string): Promise<JobBody> {
  const { body } = await app.send('POST', '/endpoints/counting/jobs', overFolder(`${folder}/`));
  return app.finished('counting', JobBody.parse(body).name);
}
const outputOf = ({ name }: JobBody) => app.text(`azureml/${name}/score/predictions.csv`);

describe('a deployment with a scoring module', () => {
  it('scores with the module, the model and the variables of the deployment', async () => {
    await app.upload({ 'numbers/a.txt': '2', 'numbers/b.txt': '9', 'numbers/c.txt': '0' });
    const job = await run('numbers');
    expect([job.properties.status, job.error]).toEqual(['Completed', undefined]);
    expect(await outputOf(job)).toBe('name,word\na.txt,two\nb.txt,many\nc.txt,zero\n');
  });

  it('runs the code as it was registered, whatever becomes of its source', async () => {
    await app.upload({ 'code/counting/main.js': 'export const run = () => ["changed"];', 'later/a.txt': '1' });
    expect(await outputOf(await run('later'))).toBe('name,word\na.txt,one\n');
  });

  it('is not made with a script that is none of the code', async () => {
    const refused = async (scoringScript: string) =>
      app.send('PUT', `${WORKSPACE}/batchEndpoints/counting/deployments/green`, {
        properties: {
          model: { assetId: 'azureml:counting:1' },
          codeConfiguration: { codeId: 'azureml:counting:1', scoringScript },
        },
      });
    for (const script of ['other.js', '../counting/main.js', 'score.rb'])
      expect(await refused(script)).toMatchObject({
        status: 400,
        body: { error: { target: 'properties.codeConfiguration.scoringScript' } },
      });
  });
});
