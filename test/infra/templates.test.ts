import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { PROJECT } from '../../cli/stack.ts';
import { localPath, readTemplates, sourceOf, templateAt, type Template } from './templates.ts';

// What the pinned versions take and give, as their own compiled templates say.
const VerifiedModules = z.record(
  z.string(),
  z.object({ required: z.array(z.string()), optional: z.array(z.string()), outputs: z.array(z.string()) }),
);

interface Signature {
  readonly required: readonly string[];
  readonly optional: readonly string[];
  readonly outputs: readonly string[];
}

const PREFIX = 'public:avm/res/';

let templates: ReadonlyMap<string, Template>;
let verified: z.infer<typeof VerifiedModules>;
beforeAll(async () => {
  templates = readTemplates();
  verified = VerifiedModules.parse(
    JSON.parse(await readFile(join(PROJECT, 'test/infra/verified-modules.json'), 'utf8')),
  );
});

function signatureOf(caller: string, source: string): Signature | undefined {
  const path = localPath(caller, source);
  if (path === undefined) return verified[source.slice(PREFIX.length)];
  const { parameters, outputs } = templateAt(templates, path);
  const names = Object.keys(parameters);
  const optional = names.filter((name) => parameters[name]?.default !== null);
  return { required: names.filter((name) => !optional.includes(name)), optional, outputs: Object.keys(outputs) };
}

const calls = () =>
  [...templates].flatMap(([caller, { modules }]) =>
    Object.entries(modules).map(([symbol, module]) => ({ caller, symbol, ...module })),
  );

describe('the templates', () => {
  it('make nothing but the group and its rights by themselves: the rest is verified modules of pinned versions', () => {
    const made = [...templates].flatMap(([path, { resources }]) =>
      Object.values(resources).flatMap(({ type, existing }) => (existing ? [] : [`${path} ${type}`])),
    );
    expect(new Set(made)).toEqual(
      new Set([
        'main.bicep Microsoft.Resources/resourceGroups',
        'modules/roles.bicep Microsoft.Authorization/roleAssignments',
      ]),
    );
    const registry = calls().flatMap(({ caller, source }) => (localPath(caller, source) === undefined ? [source] : []));
    expect(registry.filter((source) => !/^public:avm\/res\/[a-z/-]+:\d+\.\d+\.\d+$/.test(source))).toEqual([]);
    expect(new Set(registry.map((source) => source.slice(PREFIX.length)))).toEqual(new Set(Object.keys(verified)));
  });

  it('give every module what it needs and nothing that it does not know', () => {
    const faults = calls().flatMap(({ caller, symbol, source, params }) => {
      const signature = signatureOf(caller, source);
      if (!signature) return [`${caller} ${symbol}: ${source} is not known`];
      const given = Object.keys(params);
      const missing = signature.required.filter((name) => !given.includes(name));
      const unknown = given.filter((name) => ![...signature.required, ...signature.optional].includes(name));
      return [
        ...missing.map((name) => `${caller} ${symbol} lacks ${name}`),
        ...unknown.map((name) => `${caller} ${symbol} has ${name}`),
      ];
    });
    expect(faults).toEqual([]);
  });

  it('read only outputs that there are', async () => {
    const faults = await Promise.all(
      [...templates].map(async ([caller, { modules }]) =>
        [...(await sourceOf(caller)).matchAll(/(\w+)!?\.outputs\.(\w+)/g)].filter(([, symbol = '', output = '']) => {
          const module = modules[symbol];
          return !module || !signatureOf(caller, module.source)?.outputs.includes(output);
        }),
      ),
    );
    expect(faults.flat().map(([text]) => text)).toEqual([]);
  });

  it('are called by each other, and tell Microsoft of no deployment', () => {
    const called = calls().map(({ caller, source }) => localPath(caller, source));
    expect([...templates.keys()].filter((path) => !called.includes(path))).toEqual(['main.bicep']);
    const telling = calls().filter(
      ({ caller, source, params }) => localPath(caller, source) === undefined && params['enableTelemetry'] !== false,
    );
    expect(telling).toEqual([]);
  });

  it('use all of their parameters', async () => {
    const unused = await Promise.all(
      [...templates].map(async ([path, { parameters }]) => {
        const source = await sourceOf(path);
        return Object.keys(parameters).filter(
          (name) => (source.match(new RegExp(`\\b${name}\\b`, 'g')) ?? []).length < 2,
        );
      }),
    );
    expect(unused.flat()).toEqual([]);
  });
});

describe('the parameter file', () => {
  it('sets parameters of main.bicep, each by a variable of its own, and every one without a default', async () => {
    const lines = (await sourceOf('main.bicepparam')).split('\n').filter((line) => line.startsWith('param '));
    const set = lines.map((line) => /^param (\w+) = .*readEnvironmentVariable\('([A-Z_]+)'/.exec(line));
    const names = set.map((match) => match?.[1]);
    const { parameters } = templateAt(templates, 'main.bicep');
    expect([...names].sort()).toEqual(Object.keys(parameters).sort());
    expect(new Set(set.map((match) => match?.[2])).size).toBe(lines.length);
  });
});
