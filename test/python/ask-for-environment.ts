import { pythonEnvironments } from '../../shared/scoring/environments/python-environments.ts';

/** A process that asks for one environment, tells what it hears as lines of JSON, and lives until it is ended. */
const [root = '', python = '', condaFile = ''] = process.argv.slice(2);
const tell = (line: object): void => console.log(JSON.stringify(line));

setInterval(() => undefined, 1000);
const environments = pythonEnvironments({
  python,
  map: {},
  build: true,
  root,
  maxBytes: 1e9,
  own: process.env,
  say: () => undefined,
});
const lease = await environments.interpreter(
  { label: 'azureml:heart-env:3', image: null, condaFile, requirements: null },
  (line) => tell({ line }),
);
tell({ python: lease.python });
