import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { PROJECT } from '../../../cli/stack.ts';

const page = readFileSync(join(PROJECT, 'SECURITY.md'), 'utf8');

/** Rows of the table of promises: what is promised, and a test by file and name. */
const promises = [...page.matchAll(/^\| (.+?) +\| `(test\/[^`]+)`: (.+?) +\|$/gm)].map(([, promise, file, name]) => ({
  promise: promise ?? '',
  file: file ?? '',
  name: name ?? '',
}));

it('SECURITY.md promises something, and every row of its table names a test', () => {
  const [, table = ''] = /\n\| promise .*\n\| -.*\n((?:\|.*\n)+)/.exec(page) ?? [];
  expect(promises.length).toBeGreaterThan(20);
  expect(table.trimEnd().split('\n')).toHaveLength(promises.length);
});

it.each(promises)('$promise', ({ file, name }) => {
  expect(existsSync(join(PROJECT, file)), file).toBe(true);
  const text = readFileSync(join(PROJECT, file), 'utf8');
  const written = ["'", '"', '`'].map((quote) => `${quote}${name}${quote}`);
  expect(
    written.some((one) => text.includes(one)),
    `${file} has no test '${name}'`,
  ).toBe(true);
});

it('the pages that SECURITY.md links are there', () => {
  const links = [...page.matchAll(/\]\((?!https?:)([^)#]+)\)/g)].map(([, link]) => link ?? '');
  expect(links.filter((link) => !existsSync(join(PROJECT, link)))).toEqual([]);
});
