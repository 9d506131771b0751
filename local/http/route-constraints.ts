/** Whether a value satisfies a constraint. */
export type Accepts = (value: string) => boolean;

const whole = /^\s*[+-]?\d+\s*$/;

function between(low: bigint, high: bigint): Accepts {
  return (value) => {
    if (!whole.test(value)) return false;
    const number = BigInt(value.trim().replace(/^\+/, ''));
    return number >= low && number <= high;
  };
}

const matches =
  (pattern: RegExp): Accepts =>
  (value) =>
    pattern.test(value);

const longest = 2n ** 63n;

const real = /^\s*[+-]?(\d[\d,]*(\.\d*)?|\.\d+)(e[+-]?\d+)?\s*$|^(NaN|[+-]?Infinity)$/i;
const digits = '[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}';

/** Constraints without an argument, as the parsers of .NET decide them (invariant culture). */
const plain: Readonly<Record<string, Accepts>> = {
  int: between(-(2n ** 31n), 2n ** 31n - 1n),
  long: between(-longest, longest - 1n),
  bool: matches(/^\s*(true|false)\s*$/i),
  guid: matches(new RegExp(`^\\s*([0-9a-f]{32}|${digits}|\\{${digits}\\}|\\(${digits}\\))\\s*$`, 'i')),
  alpha: matches(/^[a-z]*$/i),
  decimal: matches(/^\s*[+-]?(\d[\d,]*(\.\d*)?|\.\d+)\s*$/),
  double: matches(real),
  float: matches(real),
  required: (value) => value !== '',
  /** A name with a dot in its last part, and its opposite. */
  file: (value) => isFileName(value),
  nonfile: (value) => !isFileName(value),
};

const isFileName = (value: string): boolean => /\.[^./]+$/.test(value);

/** Constraints with whole numbers as arguments, by name. */
const counted: Readonly<Record<string, (...numbers: bigint[]) => Accepts | undefined>> = {
  min: (low, ...rest) => (low === undefined || rest.length > 0 ? undefined : between(low, longest - 1n)),
  max: (high, ...rest) => (high === undefined || rest.length > 0 ? undefined : between(-longest, high)),
  range: (low, high, ...rest) =>
    low === undefined || high === undefined || rest.length > 0 ? undefined : between(low, high),
  length: (low, high = low, ...rest) =>
    low === undefined || high === undefined || rest.length > 0 ? undefined : hasLength(low, high),
  minlength: (low, ...rest) => (low === undefined || rest.length > 0 ? undefined : hasLength(low, longest)),
  maxlength: (high, ...rest) => (high === undefined || rest.length > 0 ? undefined : hasLength(0n, high)),
};

const hasLength =
  (low: bigint, high: bigint): Accepts =>
  (value) =>
    value.length >= low && value.length <= high;

/**
 * The constraint that an ASP.NET route template names: `int`, `length(2,5)`, `regex(^a)`. Undefined when there is none of
 * that name or with such arguments; a pattern that is none throws a SyntaxError.
 */
export function compileConstraint(text: string): Accepts | undefined {
  const found = /^(?<name>\w+)(?:\((?<argument>.*)\))?$/s.exec(text)?.groups;
  const name = found?.['name']?.toLowerCase() ?? '';
  const argument = found?.['argument'];
  if (argument === undefined) return Object.hasOwn(plain, name) ? plain[name] : undefined;
  // As .NET's RegexOptions.IgnoreCase: not anchored, in any case.
  if (name === 'regex') return matches(new RegExp(argument, 'i'));
  const numbers = argument.split(',').map((part) => part.trim());
  if (!Object.hasOwn(counted, name) || !numbers.every((part) => /^-?\d+$/.test(part))) return undefined;
  return counted[name]?.(...numbers.map(BigInt));
}
