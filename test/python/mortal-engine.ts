import { pythonEngine } from '../../shared/scoring/python/engine.ts';

/** An app that is killed while its script runs: sends the first line that the script prints. */
const [python = '', codeFolder = ''] = process.argv.slice(2);
const engine = await pythonEngine({
  python,
  workers: 1,
  codeFolder,
  script: 'driver.py',
  modelFolder: codeFolder,
  environmentVariables: {},
  loggingLevel: 'Info',
  idleMs: 60_000,
});
const run = {
  options: { outputFormat: 'csv' as const, summaryOnly: false },
  timeoutMs: 600_000,
  signal: new AbortController().signal,
  print: ({ text }: { readonly text: string }) => void process.send?.(text),
};
for await (const part of engine.score({ files: [{ name: 'a', path: '/a' }], outputFolder: codeFolder }, run)) {
  throw new Error(`The script never returns, but gave ${part.type}.`);
}
