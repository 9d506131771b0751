import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { PROJECT } from '../../cli/stack.ts';
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

  it('has each setting of the app once, and those for an identity by name', () => {
    const [table = '', identity = ''] = section('App settings').split('\n### Storage by identity\n');
    const documented = [...rows(table), ...rows(section('Limits'))].map(([name = '']) => name.replaceAll('`', ''));
    const own = SETTING_NAMES.filter((name) => /^(BATCHPOINT_|AzureWebJobsStorage)/.test(name));
    expect(documented.sort()).toEqual(own.filter((name) => !name.includes('__')).sort());
    const missing = own.filter(
      (name) => name.startsWith('BATCHPOINT_') && name.includes('__') && !identity.includes(name),
    );
    expect(missing).toEqual([]);
  });
});
