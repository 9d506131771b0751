import { z } from 'zod';
import { caselessEnum } from '../caseless.ts';
import { readForPort, readLiteral } from './literal.ts';
import { LITERAL_TYPES, PATH_TYPES, type InputPort, type LiteralPort, type OutputPort } from './model.ts';
import { flag, mode, pathType, wireObject } from './wire.ts';

/** `inputs` and `outputs` of components. */

const isLiteral = caselessEnum(LITERAL_TYPES, { float: 'number' });
const literalValue = z.union([z.string(), z.number(), z.boolean()], 'must be a text, a number, true or false');

const sent = wireObject({
  type: z.string().min(1),
  optional: flag.optional(),
  default: literalValue.optional(),
  enum: z.array(literalValue).optional(),
  min: literalValue.optional(),
  max: literalValue.optional(),
  mode,
});

type Issue = (field: string, message: string) => void;

export const inputPort = sent.transform((port, context): InputPort => {
  const issue: Issue = (field, message) => context.addIssue({ code: 'custom', path: [field], message, input: port });
  const literal = isLiteral.safeParse(port.type);
  if (literal.success) return literalPort(literal.data, port, issue);
  const path = pathType.safeParse(port.type);
  if (!path.success) {
    issue('type', /^mltable$/i.test(port.type) ? (path.error.issues[0]?.message ?? UNKNOWN) : UNKNOWN);
    return z.NEVER;
  }
  if (port.default !== undefined)
    issue('default', 'is for literals; a path input takes its value when a job is submitted');
  return { kind: 'path', type: path.data, optional: port.optional ?? false };
});

const UNKNOWN = `must be one of ${[...PATH_TYPES, ...LITERAL_TYPES].join(', ')}`;

function literalPort(type: LiteralPort['type'], port: z.infer<typeof sent>, issue: Issue): LiteralPort {
  const read = (field: string, value: unknown): string | undefined => {
    const found = readLiteral(type, value);
    if ('text' in found) return found.text;
    issue(field, found.fault);
    return undefined;
  };
  const bound = (field: 'min' | 'max'): number | undefined => {
    const value = port[field];
    if (value === undefined) return undefined;
    if (type !== 'number' && type !== 'integer') {
      issue(field, `is for numbers, not for ${type}`);
      return undefined;
    }
    const found = read(field, value);
    return found === undefined ? undefined : Number(found);
  };
  const min = bound('min');
  const max = bound('max');
  const words = port.enum?.flatMap((value) => read('enum', value) ?? []);
  const bare: LiteralPort = {
    kind: 'literal',
    type,
    optional: port.optional ?? false,
    ...(words !== undefined && words.length > 0 && { enum: words }),
    ...(min !== undefined && { min }),
    ...(max !== undefined && { max }),
  };
  if (port.default === undefined) return bare;
  const preset = readForPort(bare, port.default);
  if ('text' in preset) return { ...bare, default: preset.text };
  issue('default', preset.fault);
  return bare;
}

const LITERAL_OUTPUT =
  'must be a path type such as uri_folder: literal outputs are not supported; write the value to a file';

/** A type that outputs may have. */
export const outputType = z
  .string()
  .refine((type) => !isLiteral.safeParse(type).success, { error: LITERAL_OUTPUT, abort: true })
  .transform((type): unknown => type)
  .pipe(pathType);

export const outputPort = z.preprocess(
  (value) => (typeof value === 'string' ? { value } : value),
  wireObject({
    type: outputType.optional(),
    jobOutputType: outputType.optional(),
    mode,
    value: z.string().optional(),
  }).transform(({ type, jobOutputType, value }): OutputPort => ({
    type: type ?? jobOutputType ?? 'uri_folder',
    ...(value !== undefined && { from: value }),
  })),
);

/** Names reach commands as `${{inputs.name}}` and storage as a folder; the client writes a group's inputs as `group.name`. */
export const PORT_NAME = /^(?!__proto__)(?=.{1,255}$)[a-zA-Z_][\w-]*(\.[\w-]+)*$/;
/** Dots part the steps of nested pipelines. */
export const STEP_NAME = /^(?!__proto__)[a-zA-Z_][\w-]{0,254}$/;

/** A map by name of inputs, outputs or steps. Two names that differ in case alone are refused: what the wire means by either is unclear. */
export const named = <Schema extends z.ZodType>(name: RegExp, schema: Schema) =>
  z.preprocess(
    (value) => value ?? {},
    z.record(z.string(), schema).superRefine((entries, context) => {
      const seen = new Map<string, string>();
      for (const written of Object.keys(entries)) {
        const issue = (message: string) =>
          context.addIssue({ code: 'custom', path: [written], message, input: entries });
        if (!name.test(written))
          issue('is no name here: letters, digits, underscores and hyphens, first a letter or an underscore');
        const other = seen.get(written.toLowerCase());
        if (other !== undefined) issue(`has the name of '${other}': names count in any case`);
        seen.set(written.toLowerCase(), written);
      }
    }),
  );
