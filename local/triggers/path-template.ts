/** A blob trigger's path: which blobs it means, and what its tokens stand for. */
export interface PathTemplate {
  readonly container: string;
  /** What every matching blob's name begins with. */
  readonly prefix: string;
  /** The tokens' values; undefined when the name does not match. */
  match(blobName: string): Record<string, string> | undefined;
}

/**
 * Compiles `container/{folder}/{name}.{ext}`. The container is literal; each token takes as much as it can, slashes too
 * (the SDK's BindingTemplateSource: a greedy group for each); `{{` and `}}` are braces. A container alone means all
 * its blobs. Throws on a path that the SDK would refuse.
 */
export function compilePath(path: string): PathTemplate {
  const slash = path.indexOf('/');
  const container = slash < 0 ? path : path.slice(0, slash);
  if (!/^(?=.{3,63}$)[a-z0-9]+(-[a-z0-9]+)*$|^\$(root|web)$/.test(container)) {
    throw new Error(`"${path}" does not begin with the literal name of a container.`);
  }
  const template = slash < 0 ? '{name}' : path.slice(slash + 1);
  if (template === '') throw new Error(`"${path}" has nothing after its container.`);

  const names: string[] = [];
  let source = '';
  let prefix = '';
  for (const [part, name] of partsOf(template)) {
    if (name === undefined) {
      if (names.length === 0) prefix += part;
      source += part.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&');
      continue;
    }
    if (!/^[A-Za-z_]\w*$/.test(name)) throw new Error(`"${path}" has the token "{${name}}", which is no name.`);
    names.push(name);
    source += '([^\\n]*)';
  }
  const regex = new RegExp(`^${source}$`, 'u');
  return {
    container,
    prefix,
    match(blobName) {
      const values = regex.exec(blobName)?.slice(1);
      return values === undefined ? undefined : Object.fromEntries(names.map((name, i) => [name, values[i] ?? '']));
    },
  };
}

/** Literal texts, and tokens with their names. */
function* partsOf(template: string): Generator<[text: string, token?: string]> {
  for (const [text, token] of template.matchAll(/\{\{|\}\}|\{([^{}]*)\}|[^{}]+|[{}]/g)) {
    if (token !== undefined) yield [text, token];
    else if (text === '{' || text === '}') throw new Error(`"${template}" has a '${text}' without its partner.`);
    else yield [text === '{{' || text === '}}' ? text.charAt(0) : text];
  }
}
