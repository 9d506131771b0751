import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { PROJECT } from '../../../cli/stack.ts';

/** What each room may import of the others (docs/architecture.md); a trailing `types` allows types alone. */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  'shared/domain': [],
  'shared/telemetry': ['shared/domain'],
  'shared/formats': ['shared/domain'],
  'shared/storage': ['shared/domain'],
  'shared/auth': ['shared/domain'],
  'shared/pipeline': ['shared/domain', 'shared/scoring'],
  'shared/scoring': ['shared/domain', 'shared/formats', 'shared/storage'],
  'shared/steps': [
    'shared/domain',
    'shared/formats',
    'shared/storage',
    'shared/scoring',
    'shared/pipeline',
    'shared/auth',
    'shared/telemetry',
  ],
  'shared/api': [
    'shared/domain',
    'shared/formats',
    'shared/storage',
    'shared/scoring',
    'shared/auth',
    'shared/steps',
    'shared/telemetry',
  ],
  functions: ['shared'],
  local: [],
  cli: [],
  bench: ['cli', 'shared', 'local'],
};

const LONGEST = 300;

interface SourceFile {
  readonly path: string;
  readonly room: string;
  readonly text: string;
}

const roomOf = (path: string): string =>
  Object.keys(MAY_IMPORT).find((room) => path.startsWith(`${room}/`)) ?? dirname(path);

const files: SourceFile[] = ['functions', 'shared', 'local', 'cli', 'bench', 'test'].flatMap((top) =>
  readdirSync(join(PROJECT, top), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => ({
      path: `${top}/${name}`,
      room: roomOf(`${top}/${name}`),
      text: readFileSync(join(PROJECT, top, name), 'utf8'),
    })),
);

/** Own files that a file imports, relative to the project, with whether only types are taken. */
function imports({ path, text }: SourceFile): { from: string; typesOnly: boolean }[] {
  const found = [...text.matchAll(/^(?:import|export)\s+(type\s)?[^;]*?from '(\.[^']+)'/gms)];
  return found.map(([, type, from]) => ({
    from: relative(PROJECT, resolve(join(PROJECT, dirname(path)), from ?? '')),
    typesOnly: type !== undefined,
  }));
}

describe('the house', () => {
  it('has files', () => {
    expect(files.length).toBeGreaterThan(50);
  });

  it.each(Object.entries(MAY_IMPORT))('%s imports only rooms below it', (room, allowed) => {
    const strays = files
      .filter((file) => file.room === room)
      .flatMap((file) =>
        imports(file)
          .filter(({ from }) => !from.startsWith(`${room}/`) && !allowed.some((other) => from.startsWith(`${other}/`)))
          .filter(({ from, typesOnly }) => !(typesOnly && from.startsWith('shared/domain/')))
          .map(({ from }) => `${file.path} imports ${from}`),
      );
    expect(strays).toEqual([]);
  });

  it('leaves Azure Functions to functions/, the tables SDK to the storage adapters, OpenTelemetry to telemetry', () => {
    const users = (library: string): string[] =>
      files
        .filter((file) => !file.path.startsWith('test/') && file.text.includes(`from '${library}'`))
        .map((file) => file.path);
    expect(
      [...users('@azure/functions'), ...users('durable-functions')].filter((path) => !path.startsWith('functions/')),
    ).toEqual([]);
    expect(
      users('@azure/data-tables').filter((path) => !path.startsWith('shared/storage/') && !path.startsWith('local/')),
    ).toEqual([]);
    expect(
      files
        .filter(({ path, text }) => !path.startsWith('test/') && /from '@opentelemetry\//.test(text))
        .map(({ path }) => path)
        .filter((path) => !path.startsWith('shared/telemetry/')),
    ).toEqual([]);
  });

  it('loads the SDK of OpenTelemetry and its exporters only when telemetry goes somewhere', () => {
    const heavy = files
      .filter(
        ({ path, text }) =>
          path.startsWith('shared/telemetry/') &&
          /^import (?!type )[^;]*'@(?:azure|opentelemetry\/(?!api'))/m.test(text),
      )
      .map(({ path }) => path);
    expect(heavy).toContain('shared/telemetry/sdk.ts');
    const importers = files
      .filter(({ path }) => !path.startsWith('test/'))
      .flatMap((file) =>
        imports(file)
          .filter(({ from, typesOnly }) => heavy.includes(from) && !typesOnly)
          .map(({ from }) => `${file.path} imports ${from}`),
      );
    expect(importers).toEqual([]);
  });

  it('has one subject per file, and no file for leftovers', () => {
    expect(files.filter((file) => file.text.split('\n').length > LONGEST).map((file) => file.path)).toEqual([]);
    expect(
      files.filter((file) => /\b(utils?|helpers?|common|managers?|misc)\b/.test(file.path)).map((file) => file.path),
    ).toEqual([]);
  });
});
