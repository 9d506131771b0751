import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { PROJECT } from '../../../../cli/stack.ts';
import { engineOf, scoreAll, temporaryFolder, writeFiles } from './code.ts';

it('the module of docs/scoring.md gives the rows that it shows', async () => {
  const text = await readFile(join(PROJECT, 'docs/scoring.md'), 'utf8');
  const [, code = ''] = /```js\n(\/\/ score\.mjs\n.*?)```/s.exec(text) ?? [];
  const [, shown = ''] = /```csv\n(.*?)```/s.exec(text) ?? [];
  const model = await temporaryFolder();
  await writeFiles(model, { 'words.txt': 'red green blue' });

  const engine = await engineOf({ files: { 'score.mjs': code }, options: { modelFolder: model } });
  const {
    columns,
    text: rows,
    printed,
  } = await scoreAll(engine, {
    files: { 'a.txt': 'a red and a blue one', 'b.txt': 'none' },
  });
  expect(`${columns?.join(',')}\n${rows}`).toBe(shown);
  expect(printed.map((line) => line.text)).toEqual(['INFO 3 words']);
});
