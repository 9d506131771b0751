import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { appInProcess, inDatastore } from './app-in-process.ts';

/** Runs a scoring script over the files of a folder, ten to a mini-batch, and tells the milliseconds of its second job. */
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
for (const name of names) await put(`files/${name}`, await readFile(join(folder, name)));
await run('reading', 'files');
process.send?.(await run('reading', 'files'));
