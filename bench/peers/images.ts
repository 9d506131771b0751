import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PROJECT } from '../../cli/stack.ts';
import { modelFile } from '../scoring-app.ts';
import { contest } from './contest.ts';
import { picture } from './pictures.ts';
import type { Workbench } from './workbench.ts';

const IMAGES = 2000;
const CODE = 'bench/peers/image-code/score.ts';

/** 2,000 small JPEGs through sharp and a small network, as a scoring module, against Pillow. */
export async function images(bench: Workbench): Promise<void> {
  const app = await bench.app();
  await app.data.getBlockBlobClient('code/images/score.ts').uploadData(await readFile(join(PROJECT, CODE)));
  const codeUri = 'azureml://datastores/workspaceblobstore/paths/code/images';
  await app.api.put('/codes/images/versions/1', { properties: { codeUri } });
  const codeConfiguration = { codeId: 'azureml:images:1', scoringScript: 'score.ts' };
  await app.deploy('images', { codeConfiguration });
  for (let index = 0; index < IMAGES; index++) {
    const name = `pictures/${String(index).padStart(4, '0')}.jpg`;
    await app.data.getBlockBlobClient(name).uploadData(await picture(index));
  }
  await contest(bench, {
    ...{ name: 'images', app, endpoint: 'images', model: modelFile('images'), folder: 'pictures/' },
    ...{ settings: { miniBatchSize: 32, maxConcurrencyPerInstance: 1 }, targets: { pillow: 1.5 } },
    // Two libraries resize alike, but for the last bit of a colour.
    tolerance: 1e-3,
  });
}
