import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { JobBody, overFolder, startApp, WORKSPACE, type App } from '../support/app.ts';

const EXAMPLE = join(import.meta.dirname, '../../examples/image-classification');

let app: App;
beforeAll(async () => {
  app = await startApp();
});
afterAll(() => app.stop());

async function filesOf(folder: string): Promise<Record<string, Buffer>> {
  const names = await readdir(join(EXAMPLE, folder));
  return Object.fromEntries(
    await Promise.all(names.map(async (name) => [name, await readFile(join(EXAMPLE, folder, name))] as const)),
  );
}

async function upload(folder: string, to: string): Promise<void> {
  const files = Object.entries(await filesOf(folder)).map(([name, content]) => [`${to}/${name}`, content] as const);
  await app.upload(Object.fromEntries(files));
}

it('examples/image-classification: the TypeScript module tells what is on every picture', async () => {
  await upload('code', 'image-code');
  await upload('data', 'pictures');
  const code = { properties: { codeUri: 'azureml://datastores/workspaceblobstore/paths/image-code' } };
  expect((await app.send('PUT', `${WORKSPACE}/codes/shapes/versions/1`, code)).status).toBe(201);
  await app.deploy('shapes', await filesOf('shapes'), {
    codeConfiguration: { codeId: 'azureml:shapes:1', scoringScript: 'score.ts' },
    miniBatchSize: 5,
  });

  const { body } = await app.send('POST', '/endpoints/shapes/jobs', overFolder('pictures/'));
  const job = await app.finished('shapes', JobBody.parse(body).name);

  expect([job.properties.status, job.error]).toEqual(['Completed', undefined]);
  const rows = (await app.text(`azureml/${job.name}/score/predictions.csv`))?.trim().split('\n') ?? [];
  expect(rows[0]).toBe('file,label,probability');
  const labels = rows.slice(1).map((row) => row.split(',').slice(0, 2).join(','));
  expect(labels).toEqual((await readFile(join(EXAMPLE, 'labels.csv'), 'utf8')).trim().split('\n').slice(1));
});
