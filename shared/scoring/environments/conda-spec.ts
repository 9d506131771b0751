/** One line of a conda file's `dependencies`, taken apart. */
export interface CondaSpec {
  readonly name: string;
  /** In pip's words, e.g. `==1.21.*`; empty for any version. */
  readonly version: string;
  /** What pip cannot be told: a build, or a version in words that only conda knows. */
  readonly dropped: string | undefined;
}

const VERSION = /^\d+(\.\d+)*((a|b|rc|\.?post|\.?dev)\d+)?$/;

/**
 * Reads a match specification (conda's package match specifications): `numpy`, `numpy=1.21` (any 1.21.x), `numpy==1.21.2`,
 * `numpy 1.21.*`, `numpy>=1.2,<2`, with a channel in front (`conda-forge::numpy`) and a build behind (`numpy=1.21=py39_0`).
 * Undefined for a line that is none.
 */
export function parseCondaSpec(line: string): CondaSpec | undefined {
  // Spaces around operators carry no meaning; the others separate version and build.
  const text = line
    .trim()
    .replace(/^\S+::/, '')
    .replace(/\s*([<>=!~,|]+)\s*/g, '$1');
  const [, name, rest = ''] = /^([A-Za-z0-9_][\w.-]*)(.*)$/s.exec(text) ?? [];
  if (name === undefined) return undefined;
  const trimmed = rest.trim();
  const fuzzy = trimmed.startsWith('=') && !trimmed.startsWith('==');
  const [version = '', build] = trimmed.replace(/^==?/, '').split(/(?<![<>=!~])=(?!=)|\s+/);
  const terms = version === '' ? [] : version.split(',').map((term) => pipTerm(term, fuzzy));
  const dropped = build === undefined || build === '*' ? [] : [`build ${build}`];
  if (terms.includes(undefined)) return { name, version: '', dropped: [`version ${version}`, ...dropped].join(', ') };
  return {
    name,
    version: terms.filter((term) => term !== '').join(','),
    dropped: dropped.length > 0 ? dropped.join(', ') : undefined,
  };
}

/** One term of a version in pip's words; empty for any version, undefined for what pip has no words for. */
function pipTerm(term: string, fuzzy: boolean): string | undefined {
  const [, operator = '', written = ''] = /^(==|=|!=|~=|>=|<=|>|<)?(.*)$/s.exec(term) ?? [];
  if (written === '*') return '';
  const open = /\.?\*$/.test(written);
  const version = written.replace(/\.?\*$/, '');
  if (!VERSION.test(version)) return undefined;
  if (['', '=', '==', '!='].includes(operator)) {
    const any = open || operator === '=' || (operator === '' && fuzzy) ? '.*' : '';
    return `${operator === '!=' ? '!=' : '=='}${version}${any}`;
  }
  return operator + version;
}
