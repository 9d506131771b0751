import { parseArgs } from 'node:util';
import { loadDevIssuer } from './dev-issuer.ts';
import { exitWith } from './exit.ts';
import { KEY_FILE } from './stack.ts';

const HELP = `Usage: npm run -s token [-- --audience scoring|management]

Prints a bearer token for a locally started app, good for an hour. Without --audience both planes accept it.

  --audience NAME   the audience that Azure ML's own clients ask for: scoring (https://ml.azure.com) or
                    management (https://management.azure.com); the other plane refuses it
  --help            show this text
`;

const AUDIENCES: Readonly<Record<string, string>> = {
  scoring: 'https://ml.azure.com',
  management: 'https://management.azure.com',
};

await exitWith(async () => {
  const { values } = parseArgs({ options: { audience: { type: 'string' }, help: { type: 'boolean' } } });
  if (values.help) {
    process.stdout.write(HELP);
    return;
  }
  const audience = values.audience === undefined ? 'api://batchpoint' : AUDIENCES[values.audience];
  if (audience === undefined) throw new Error(`--audience is scoring or management, not '${values.audience}'.`);
  const issuer = await loadDevIssuer(KEY_FILE);
  process.stdout.write(`${await issuer.sign({ audience })}\n`);
});
