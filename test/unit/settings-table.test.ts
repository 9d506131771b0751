import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { PROJECT } from '../../cli/stack.ts';
import { azureMarks } from '../../shared/in-azure.ts';
import { limitSettings } from '../../shared/limit-settings.ts';
import { SETTING_NAMES } from '../../shared/settings.ts';

const page = readFileSync(join(PROJECT, 'docs', 'settings.md'), 'utf8');
const section = (title: string): string => page.split(`\n## ${title}\n`)[1]?.split('\n## ')[0] ?? '';

/** Cells of the rows whose first one is a setting. */
const rows = (text: string): string[][] =>
  text
    .split('\n')
    .filter((line) => line.startsWith('| `'))
    .map((line) => line.split(' | ').map((cell) => cell.replace(/^\| |\|$/g, '').trim()));

describe('docs/settings.md', () => {
  it('has the limits with their defaults', () => {
    const defaults = z.object(limitSettings).parse({});
    const documented = rows(section('Limits')).map((cells) => [cells[0]?.replaceAll('`', ''), cells.at(-1)]);
    expect(documented).toEqual(Object.entries(defaults).map(([name, value]) => [name, String(value)]));
  });

  it('has each setting of the app once', () => {
    const tables = ['App settings', 'Limits', 'Telemetry'].flatMap((title) => rows(section(title)));
    const documented = tables.map(([name = '']) => name.replaceAll('`', ''));
    const known = SETTING_NAMES.filter((name) => name !== 'WEBSITE_HOSTNAME' && !(name in azureMarks));
    expect([...documented].sort()).toEqual([...known].sort());
  });
});
