import type { z } from 'zod';
import { ApiError, type ErrorDetail } from './errors.ts';
import { EXTENSION_PREFIX, extensionNames, Extensions } from './settings.ts';

const canonical = new Map(Extensions.keyof().options.map((name) => [name.toLowerCase(), name]));

/**
 * The `batchpoint.<name>` entries of a resource's properties, as settings: only those that are there, names in any case.
 * Throws ApiError 400 with one detail per entry that is unknown or has a value that does not fit. `readElsewhere`: names that are
 * no settings of a job, which the caller reads itself.
 */
export function extensionsOf(
  properties: Readonly<Record<string, string>>,
  target: string,
  readElsewhere: readonly string[] = [],
): Partial<Extensions> {
  const found = new Map<string, unknown>();
  const wrong: ErrorDetail[] = [];
  for (const [written, value] of Object.entries(properties)) {
    if (!written.toLowerCase().startsWith(EXTENSION_PREFIX)) continue;
    const at = { code: 'UserError', target: `${target}.${written}` };
    const lower = written.slice(EXTENSION_PREFIX.length).toLowerCase();
    if (readElsewhere.some((other) => other.toLowerCase() === lower)) continue;
    const name = canonical.get(lower);
    if (name === undefined) {
      const known = [...extensionNames(), ...readElsewhere.map((other) => EXTENSION_PREFIX + other)].join(', ');
      wrong.push({ ...at, message: `'${written.slice(0, 80)}' is not known here. Known are: ${known}.` });
      continue;
    }
    const parsed: z.ZodSafeParseResult<unknown> = Extensions.shape[name].safeParse(value);
    if (!parsed.success)
      wrong.push({ ...at, message: `${at.target}: ${parsed.error.issues[0]?.message ?? 'is wrong'}` });
    else if (found.has(name)) wrong.push({ ...at, message: `${at.target}: is given twice` });
    else found.set(name, value);
  }
  const [first] = wrong;
  if (first) throw new ApiError(400, 'UserError', first.message, { target: first.target, details: wrong });
  // The schema fills in defaults for what was not sent; only what was sent may overrule the app's own settings.
  const read = Extensions.parse(Object.fromEntries(found));
  return Object.fromEntries(Object.entries(read).filter(([name]) => found.has(name)));
}

/** Later layers win: the app's settings, the deployment's, the invocation's. */
export const layExtensions = (...layers: readonly Partial<Extensions>[]): Extensions =>
  layers.reduce<Extensions>((under, over) => ({ ...under, ...over }), Extensions.parse({}));
