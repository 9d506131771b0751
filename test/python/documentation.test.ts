import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { PROJECT } from '../../cli/stack.ts';
import type { CodeOptions, MiniBatchEngine } from '../../shared/scoring/engine.ts';
import { engineOf, testFolder, writeFiles } from './scripts.ts';

const read = (path: string): Promise<string> => readFile(join(PROJECT, path), 'utf8');
const fences = (page: string, language: string): string[] =>
  [...page.matchAll(new RegExp(`\`\`\`${language}\\n(.*?)\`\`\``, 'gs'))].map(([, text]) => text ?? '');

const INPUT = { 'a.txt': 'a red and a blue one', 'b.txt': 'none' };

/** The output for files that are there. */
async function outputOf(engine: MiniBatchEngine, options: Partial<CodeOptions> = {}): Promise<string> {
  const folder = await testFolder();
  await writeFiles(folder, INPUT);
  const files = Object.keys(INPUT).map((name) => ({ name, path: join(folder, name) }));
  const run = {
    options: { outputFormat: 'csv' as const, summaryOnly: false, ...options },
    timeoutMs: 30_000,
    signal: new AbortController().signal,
    print: () => undefined,
  };
  let text = '';
  for await (const part of engine.score({ files, outputFolder: folder }, run)) {
    if (part.type !== 'rows') continue;
    if (text === '') text = `${part.columns.join(',')}\n`;
    text += Buffer.from(part.bytes).toString('utf8');
  }
  return text;
}

it('the script of docs/scoring.md gives the rows that it shows, under other names too', async () => {
  const page = await read('docs/scoring.md');
  const [script = ''] = fences(page, 'python');
  const shown = fences(page, 'text').find((text) => text.startsWith('0,1\n'));
  const modelFolder = await testFolder();
  await writeFiles(modelFolder, { 'words.txt': 'red green blue' });
  const engine = await engineOf(script, { modelFolder });
  expect(await outputOf(engine)).toBe(shown);
  const named = await outputOf(engine, { outputColumns: ['file', 'found'] });
  expect(named).toBe(shown?.replace('0,1\n', 'file,found\n'));
});

it.each(['mlflow-model', 'scoring-script'])('docs/scoring.md shows the deployment of examples/%s', async (example) => {
  const deployment = await read(`examples/${example}/deployment.yml`);
  expect(fences(await read('docs/scoring.md'), 'yaml')).toContain(deployment);
});
