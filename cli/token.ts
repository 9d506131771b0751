import { parseArgs } from 'node:util';
import { loadDevIssuer } from './dev-issuer.ts';
import { exitWith } from './exit.ts';
import { KEY_FILE } from './stack.ts';

const HELP = `Usage: npm run -s token [-- --audience scoring|management] [--role NAME]

Prints a bearer token for a locally started app, good for an hour. Without --audience both planes accept it.

  --audience NAME   the audience that Azure ML's own clients ask for: scoring (https://ml.azure.com) or
                    management (https://management.azure.com); the other plane refuses it
  --role NAME       reader, invoker, operator or owner; owner without. May be given again
  --help            show this text
`;

const AUDIENCES: Readonly<Record<string, string>> = {
  scoring: 'https://ml.azure.com',
  management: 'https://management.azure.com',
};

/** As the server names them (shared/auth/roles.ts). */
const ROLES: Readonly<Record<string, string>> = {
  reader: 'Batchpoint.Reader',
  invoker: 'Batchpoint.Invoker',
  operator: 'Batchpoint.Operator',
  owner: 'Batchpoint.Owner',
};

await exitWith(async () => {
  const { values } = parseArgs({
    options: { audience: { type: 'string' }, role: { type: 'string', multiple: true }, help: { type: 'boolean' } },
  });
  if (values.help) {
    process.stdout.write(HELP);
    return;
  }
  const audience = values.audience === undefined ? 'api://batchpoint' : AUDIENCES[values.audience];
  if (audience === undefined) throw new Error(`--audience is scoring or management, not '${values.audience}'.`);
  const roles = (values.role ?? ['owner']).map((name) => {
    const role = ROLES[name];
    if (role === undefined) throw new Error(`--role is ${Object.keys(ROLES).join(', ')}, not '${name}'.`);
    return role;
  });
  const issuer = await loadDevIssuer(KEY_FILE);
  process.stdout.write(`${await issuer.sign({ audience, roles })}\n`);
});
