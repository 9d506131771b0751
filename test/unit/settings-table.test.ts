import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { PROJECT } from '../../cli/stack.ts';
import { limitSettings } from '../../shared/limit-settings.ts';
import { azureMarks } from '../../shared/in-azure.ts';
import { SETTING_NAMES } from '../../shared/settings.ts';

const page = readFileSync(join(PROJECT, 'docs', 'settings.md'), 'utf8');
const section = (title: string): string => page.split(`\n## ${title}\n`)[1]?.split('\n## ')[0] ?? '';

/** Cells of the rows whose first one is a setting. */
const rows = (text: string): string[][] =>
  text
    .split('\n')
    .filter((line) => line.startsWith('| `'))
    .map((line) => line.split(' | ').map((cell) => cell.replace(/^\| |\|$/g, '').trim()));

const READ_BY_THE_HOST: readonly (string | undefined)[] = [
  'BATCHPOINT_STATE__credential',
  'BATCHPOINT_STATE__clientId',
];

describe('docs/settings.md', () => {
  it('has the limits with their defaults', () => {
    const defaults = z.object(limitSettings).parse({});
    const documented = rows(section('Limits')).map((cells) => [cells[0]?.replaceAll('`', ''), cells.at(-1)]);
    expect(documented).toEqual(Object.entries(defaults).map(([name, value]) => [name, String(value)]));
  });

  it('has each setting of the app once, and no other of its own', () => {
    const documented = [...rows(section('App settings')), ...rows(section('Limits'))].flatMap(([cell = '']) =>
      [...cell.matchAll(/`(\w+)`/g)].map(([, name]) => name),
    );
    const table = rows(section('App settings').split('\n### ')[0] ?? '').map(([cell]) => cell);
    expect(new Set(table).size).toBe(table.length);
    const setByAzure = [...Object.keys(azureMarks), 'WEBSITE_HOSTNAME'];
    expect(SETTING_NAMES.filter((name) => !documented.includes(name) && !setByAzure.includes(name))).toEqual([]);
    const own = documented.filter((name) => name?.startsWith('BATCHPOINT_') && !READ_BY_THE_HOST.includes(name));
    expect(own.filter((name = '') => !SETTING_NAMES.includes(name))).toEqual([]);
  });
});
