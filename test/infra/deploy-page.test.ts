import { access, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, expect, it } from 'vitest';
import { PROJECT } from '../../cli/stack.ts';
import { SETTING_NAMES } from '../../shared/settings.ts';
import { readTemplates, sourceOf, templateAt } from './templates.ts';

let page: string;
beforeAll(async () => {
  page = await readFile(join(PROJECT, 'docs/deploy.md'), 'utf8');
});

const all = (pattern: RegExp): string[] => [...page.matchAll(pattern)].map(([, found = '']) => found);

/** Variable and parameter of each line of the parameter file. */
async function choices(): Promise<string[]> {
  const source = await sourceOf('main.bicepparam');
  return [...source.matchAll(/^param (\w+) = .*readEnvironmentVariable\('(\w+)'/gm)].map(
    ([, parameter = '', variable = '']) => `${variable} ${parameter}`,
  );
}

it('the page says that it was not run', () => {
  expect(page).toContain('**no command on\nthis page has been run**');
});

it('its files are there', async () => {
  const linked = all(/\]\(([^)#:]+)(?:#[^)]*)?\)/g).map((path) => join(PROJECT, 'docs', path));
  const named = all(/(?:^|[\s("`])((?:infra|examples)\/[\w./-]+\w)/gm).map((path) => join(PROJECT, path));
  expect(linked.length + named.length).toBeGreaterThan(15);
  const missing = await Promise.all(
    [...linked, ...named].map((path) =>
      access(path).then(
        () => [],
        () => [path],
      ),
    ),
  );
  expect(missing.flat()).toEqual([]);
});

it('its choices are the parameters, under the variables that set them', async () => {
  const told = [...page.matchAll(/^\| `([A-Z_]+)` +\| `(\w+)`/gm)].map(
    ([, variable, parameter]) => `${variable} ${parameter}`,
  );
  const asked = (await choices()).filter((choice) => !choice.startsWith('AZURE_'));
  expect([...told].sort()).toEqual([...asked].sort());
});

it('its variables are set by azd, read by the app, or given by the template', async () => {
  const { outputs } = templateAt(readTemplates(), 'main.bicep');
  const variables = (await choices()).map((choice) => choice.split(' ')[0]);
  const known = [...variables, ...SETTING_NAMES];
  expect(all(/azd env set (\w+)/g).filter((name) => name !== 'NAME' && !variables.includes(name))).toEqual([]);
  expect(all(/azd env get-value (\w+)/g).filter((name) => !(name in outputs))).toEqual([]);
  expect(all(/`(BATCHPOINT_\w+)`/g).filter((name) => !known.includes(name))).toEqual([]);
});

it('what azd runs after the resources are made gets what it asks for', async () => {
  const script = await sourceOf('scripts/after-provision.sh');
  const asked = [...script.matchAll(/^: "\$\{(\w+):\?/gm)].map(([, name = '']) => name);
  const { outputs } = templateAt(readTemplates(), 'main.bicep');
  const variables = (await choices()).map((choice) => choice.split(' ')[0]);
  expect(asked.length).toBeGreaterThan(3);
  expect(asked.filter((name) => !(name in outputs) && !variables.includes(name))).toEqual([]);
  const azd = await readFile(join(PROJECT, 'azure.yaml'), 'utf8');
  expect(azd).toContain('infra/scripts/after-provision.sh');
});
