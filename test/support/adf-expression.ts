/** What an expression of Azure Data Factory may look at. */
export interface AdfScope {
  readonly parameters: Readonly<Record<string, unknown>>;
  /** Each activity's output, by its name. */
  readonly outputs: ReadonlyMap<string, unknown>;
}

type Callable = (...args: unknown[]) => unknown;

const FUNCTIONS: Readonly<Record<string, Callable>> = {
  concat: (...parts) => parts.map(String).join(''),
  equals: (one, other) => one === other,
  contains: (all, one) => Array.isArray(all) && all.includes(one),
  createArray: (...items) => items,
  uriComponent: (text) => encodeURIComponent(String(text)),
};

const TOKEN = /\s*(?:'((?:[^']|'')*)'|([A-Za-z]\w*)|([().,]))/y;

/**
 * Evaluates text of a pipeline as Data Factory does: an expression after `@`, or a template with `@{…}` in it. Throws on a field
 * that is not there, which Data Factory would fail on too, and on a function that no pipeline of ours needs.
 */
export function evaluate(text: string, scope: AdfScope): unknown {
  if (text.startsWith('@') && !text.startsWith('@{')) return new Expression(text.slice(1), scope).whole();
  return text.replace(/@\{([^}]*)\}/g, (_all, inner: string) => String(new Expression(inner, scope).whole()));
}

/** A recursive descent over `call(args).field.field`, string literals being the leaves. */
class Expression {
  private at = 0;
  private readonly text: string;
  private readonly scope: AdfScope;

  constructor(text: string, scope: AdfScope) {
    this.text = text;
    this.scope = scope;
  }

  whole(): unknown {
    const value = this.value();
    if (this.at !== this.text.trimEnd().length) throw new Error(`unexpected text at ${this.at} of ${this.text}`);
    return value;
  }

  private value(): unknown {
    const [literal, name] = this.next();
    if (literal !== undefined) return literal;
    if (name === undefined) throw new Error(`a value is missing at ${this.at} of ${this.text}`);
    this.expect('(');
    let value = this.call(name, this.args());
    while (this.takes('.')) {
      const [, field] = this.next();
      value = fieldOf(value, field ?? '');
    }
    return value;
  }

  private args(): unknown[] {
    const values: unknown[] = [];
    if (this.takes(')')) return values;
    do values.push(this.value());
    while (this.takes(','));
    this.expect(')');
    return values;
  }

  private call(name: string, args: readonly unknown[]): unknown {
    if (name === 'pipeline') return { parameters: this.scope.parameters };
    if (name === 'activity') {
      const activity = String(args[0]);
      if (!this.scope.outputs.has(activity)) throw new Error(`activity '${activity}' has not run`);
      return { output: this.scope.outputs.get(activity) };
    }
    const called = FUNCTIONS[name];
    if (called === undefined) throw new Error(`there is no function '${name}'`);
    return called(...args);
  }

  private next(): [literal: string | undefined, name: string | undefined, mark: string | undefined] {
    TOKEN.lastIndex = this.at;
    const found = TOKEN.exec(this.text);
    if (!found) throw new Error(`cannot be read at ${this.at}: ${this.text}`);
    this.at = TOKEN.lastIndex;
    return [found[1]?.replaceAll("''", "'"), found[2], found[3]];
  }

  private takes(mark: string): boolean {
    const before = this.at;
    if (before < this.text.length && this.next()[2] === mark) return true;
    this.at = before;
    return false;
  }

  private expect(mark: string): void {
    if (!this.takes(mark)) throw new Error(`'${mark}' is missing at ${this.at} of ${this.text}`);
  }
}

function fieldOf(value: unknown, field: string): unknown {
  const fields =
    typeof value === 'object' && value !== null ? new Map(Object.entries(value)) : new Map<string, unknown>();
  if (!fields.has(field)) throw new Error(`there is no field '${field}' in ${JSON.stringify(value)?.slice(0, 500)}`);
  return fields.get(field);
}
