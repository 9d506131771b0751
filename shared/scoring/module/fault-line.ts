import { sep } from 'node:path';
import { pathToFileURL } from 'node:url';
import { inspect } from 'node:util';

const LONGEST = 300;

/** One line for what a user's code threw: its name, its first line, and the last place in the code that it came through. */
export function faultLine(thrown: unknown, codeFolder: string): string {
  if (!(thrown instanceof Error)) return cut(inspect(thrown, { breakLength: Infinity }));
  const [first = ''] = thrown.message.split('\n');
  const text = thrown.name === 'Error' ? first : first === '' ? thrown.name : `${thrown.name}: ${first}`;
  const place = placeIn(thrown.stack ?? '', codeFolder);
  return cut(text.replaceAll(codeFolder + sep, '')) + (place === undefined ? '' : ` (${place})`);
}

/** `file:line` below the folder, of the first line that names one; packages do not count. */
export function placeIn(stack: string, codeFolder: string): string | undefined {
  const roots = [`${pathToFileURL(codeFolder).href}/`, codeFolder + sep];
  for (const line of stack.split('\n')) {
    const root = roots.find((start) => line.includes(start));
    if (root === undefined) continue;
    const [, file, number] = /^([^:()]+):(\d+)/.exec(line.slice(line.indexOf(root) + root.length)) ?? [];
    if (file !== undefined && number !== undefined && !file.includes('node_modules'))
      return `${decoded(file)}:${number}`;
  }
  return undefined;
}

/** Of a URL; a path may hold a percent sign that means itself. */
function decoded(file: string): string {
  return /%(?![0-9A-Fa-f]{2})/.test(file) ? file : decodeURIComponent(file);
}

const cut = (text: string): string => (text.length > LONGEST ? `${text.slice(0, LONGEST)}…` : text);
