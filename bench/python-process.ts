import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { appInProcess, inDatastore } from './app-in-process.ts';

/**
 * Runs a scoring script over the files of a folder, ten to a mini-batch, and tells how many milliseconds the job takes longer
 * than one over the first mini-batch alone.
 */
const [script = '', folder = ''] = process.argv.slice(2);

const { api, put, deploy, run } = await appInProcess();
await put('code/score.py', await readFile(script));
await put('model/none.txt', Buffer.from('none'));
await api.put('/codes/reading/versions/1', { properties: { codeUri: inDatastore('code') } });
await deploy('reading', 'model', {
  codeConfiguration: { codeId: 'azureml:reading:1', scoringScript: 'score.py' },
  miniBatchSize: 10,
});
const names = await readdir(folder);
for (const name of names) await put(`all/${name}`, await readFile(join(folder, name)));
for (const name of names.slice(0, 10)) await put(`first/${name}`, await readFile(join(folder, name)));
await run('reading', 'all');
const first = await run('reading', 'first');
process.send?.((await run('reading', 'all')).ms - first.ms);
