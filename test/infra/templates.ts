import { readFile } from 'node:fs/promises';
import { join, posix } from 'node:path';
import { inject } from 'vitest';
import { z } from 'zod';
import { PROJECT } from '../../cli/stack.ts';

const Values = z.record(z.string(), z.unknown());

/** A module or resource: `if` and `for` wrap what they decide on, once or twice. */
const body = (config: unknown): z.infer<typeof Values> => {
  const values = Values.parse(config);
  return 'config' in values ? body(values['config']) : values;
};

const Module = z
  .object({ detail: z.object({ full: z.string() }), config: z.unknown() })
  .transform(({ detail, config }) => {
    const { params } = body(config);
    return { source: detail.full, params: Values.parse(params ?? {}) };
  });

const Resource = z
  .object({ type: z.string(), existing: z.boolean(), config: z.unknown() })
  .transform(({ config, ...rest }) => ({ ...rest, config: body(config) }));

const Template = z.object({
  parameters: z.record(z.string(), z.object({ default: z.unknown() })).default({}),
  variables: z.record(z.string(), z.object({ value: z.unknown() })).default({}),
  modules: z.record(z.string(), Module).default({}),
  resources: z.record(z.string(), Resource).default({}),
  outputs: Values.default({}),
});
export type Template = z.infer<typeof Template>;

const FOLDER = join(PROJECT, 'infra');

/** All templates by their path in infra/. */
export const readTemplates = (): ReadonlyMap<string, Template> =>
  new Map(Object.entries(z.record(z.string(), Template).parse(JSON.parse(inject('infraTemplates')))));

export const sourceOf = (path: string): Promise<string> => readFile(join(FOLDER, path), 'utf8');

/** One template; throws when there is none. */
export function templateAt(templates: ReadonlyMap<string, Template>, path: string): Template {
  const found = templates.get(path);
  if (!found) throw new Error(`infra/${path} is not there`);
  return found;
}

/** The template of a module that is a file, from that of who calls it; undefined for one of a registry. */
export const localPath = (caller: string, source: string): string | undefined =>
  source.startsWith('public:') ? undefined : posix.join(posix.dirname(caller), source);

/** The value of a variable that is an object. */
export const objectOf = (template: Template, variable: string) => Values.parse(template.variables[variable]?.value);
