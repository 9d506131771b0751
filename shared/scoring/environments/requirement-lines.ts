import { ModelFault } from '../engine.ts';

/** Options of a requirements file that only say where packages come from; any other one may read files of this machine. */
const OPTION =
  /^(?:(?:-i|--index-url|--extra-index-url|-f|--find-links)[ =]\s*https?:\/\/\S+|(?:--no-binary|--only-binary)[ =]\s*[\w:.,-]+)$/;

/** Options that mean nothing to uv, or that it has another way for. */
const WITHOUT_MEANING = /^(?:--trusted-host[ =].*|--prefer-binary|--pre|--no-cache-dir|--require-hashes)$/;

/** `name`, `name[extra]`, then a version, a marker, hashes or the address of an archive. */
const PACKAGE =
  /^[A-Za-z0-9](?:[\w.-]*[A-Za-z0-9])?\s*(?:\[[\w\s,.-]*\])?\s*(?:$|[<>=!~(;]|--hash|@\s*(?:git\+)?(?:https?|ssh):\/\/)/;

/** An archive or repository by its address alone. */
const ADDRESS = /^(?:git\+(?:https?|ssh)|https?):\/\/\S+/;

/**
 * The lines of a pip requirements file, without comments, continuations joined; `ignored` are options without meaning here.
 * Throws ModelFault for a line that would read a file of this machine (`-r`, `-e`, a path): there is none beside the text.
 */
export function requirementLines(text: string, label: string): { lines: string[]; ignored: string[] } {
  const all = text
    .replace(/\\\r?\n/g, ' ')
    .split(/\r?\n/)
    .map((line) => line.replace(/(^|\s)#.*$/, '').trim())
    .filter((line) => line !== '');
  const ignored = all.filter((line) => WITHOUT_MEANING.test(line));
  const lines = all.filter((line) => !ignored.includes(line));
  const bad = lines.find((line) => !OPTION.test(line) && !PACKAGE.test(line) && !ADDRESS.test(line));
  if (bad !== undefined)
    throw new ModelFault(
      `${label} asks for ${JSON.stringify(bad.slice(0, 100))}, which is neither a package nor the address of one.`,
    );
  return { lines, ignored };
}
