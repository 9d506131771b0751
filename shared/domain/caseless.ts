import { z } from 'zod';

/**
 * Azure ML's clients disagree on case (`inputData` from the SDK, `InputData` from Data Factory and .NET), send numbers as
 * strings and null for "not set" (contract 1.2, 3.2). These schemas read all of them into one form; paths in issues carry
 * the canonical names.
 */

/** Reads a value through a schema for its side: undefined when it does not fit. */
const accepts = (schema: z.core.$ZodType, value: unknown): boolean => z.safeParse(schema, value).success;

const inAnyCase = (name: string): string => name.toLowerCase();

/**
 * An object whose property names match in any case. Null counts as absent where the field has no use for null; unknown names are
 * dropped. `keyOf`: names that count as one have one key.
 */
export function caselessObject<Shape extends z.core.$ZodShape>(shape: Shape, keyOf = inAnyCase) {
  const canonical = new Map(Object.keys(shape).map((name) => [keyOf(name), name]));
  return z.preprocess((value, context) => {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
    const known = new Map<string, unknown>();
    for (const [written, field] of Object.entries(value)) {
      const name = canonical.get(keyOf(written));
      const schema = name === undefined ? undefined : shape[name];
      if (name === undefined || schema === undefined || (field === null && !accepts(schema, null))) continue;
      // The client writes some fields in both its styles (`source_job_id`, `sourceJobId`).
      if (known.has(name) && known.get(name) !== field)
        context.addIssue({ code: 'custom', path: [name], message: 'is given twice', input: field });
      known.set(name, field);
    }
    return Object.fromEntries(known);
  }, z.object(shape));
}

/** One of a few words in any case; `aliases` maps further spellings (lower-cased) to a word. */
export function caselessEnum<const Words extends readonly string[]>(
  words: Words,
  aliases: Readonly<Record<string, Words[number]>> = {},
) {
  const canonical = new Map<string, Words[number]>(words.map((word) => [word.toLowerCase(), word]));
  return z.preprocess((value) => {
    if (typeof value !== 'string') return value;
    const key = value.toLowerCase();
    return canonical.get(key) ?? (Object.hasOwn(aliases, key) ? aliases[key] : value);
  }, z.enum(words));
}

/** Lets a decimal number come as a string: Azure's REST samples send `"miniBatchSize": "5"`. */
export const numeric = <Schema extends z.ZodType>(schema: Schema) =>
  z.preprocess(
    (value) => (typeof value === 'string' && /^\s*-?\d{1,15}(\.\d{1,10})?\s*$/.test(value) ? Number(value) : value),
    schema,
  );

/** A map of texts, such as tags: kept whole, names as written. Numbers and booleans become their text. */
export const textMap = z.record(
  z.string(),
  z.preprocess(
    (value) => (typeof value === 'number' || typeof value === 'boolean' ? String(value) : value),
    z.string(),
  ),
);
