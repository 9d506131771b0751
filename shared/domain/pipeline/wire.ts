import { z } from 'zod';
import { caselessEnum, caselessObject } from '../caseless.ts';
import { wording } from '../checked.ts';
import { isRegistryEnvironment } from '../environment-id.ts';
import { parseDuration } from '../invocation-settings.ts';
import { PATH_TYPES } from './model.ts';

/** How pipeline bodies are written: specs in snake_case, resources in camelCase, steps in a mix of both. */

const wireKey = (name: string): string => name.toLowerCase().replaceAll('_', '');

/** An object whose names match in any case, with and without underscores: `componentId`, `component_id`, `_source`. */
export const wireObject = <Shape extends z.core.$ZodShape>(shape: Shape) => caselessObject(shape, wireKey);

export const text = z.string().min(1, 'must not be empty');

/** A setting that clients send as a boolean, or as its text in any case. */
export const flag = z.preprocess((value) => {
  const word = typeof value === 'string' ? value.trim().toLowerCase() : value;
  return word === 'true' ? true : word === 'false' ? false : value;
}, z.boolean('must be true or false'));

/** `uri_folder`, and `UriFolder` as the scoring plane has it. */
export const pathType = caselessEnum([...PATH_TYPES, 'mltable'], {
  urifile: 'uri_file',
  urifolder: 'uri_folder',
  custommodel: 'custom_model',
  mlflowmodel: 'mlflow_model',
  tritonmodel: 'triton_model',
  path: 'uri_folder',
}).transform((type, context) => {
  if (type !== 'mltable') return type;
  context.addIssue({ code: 'custom', message: 'mltable is not supported; use uri_folder or uri_file', input: type });
  return z.NEVER;
});

/** Nothing is mounted here: files are copied in before a step and out after it, so all modes but the evaluated ones are the same. */
export const mode = z
  .string()
  .refine((given) => !/^eval/i.test(given), {
    error: 'eval modes are not supported: nothing evaluates an mltable here; use ro_mount or download',
    abort: true,
  })
  .refine(
    (given) => /^(ro_?mount|rw_?mount|read_?(only|write)_?mount|mount|download|upload|direct|link)$/i.test(given),
    {
      error: 'must be ro_mount, rw_mount, download, upload or direct',
    },
  )
  .nullable()
  .optional();

const seconds = z.union([
  z.number(),
  z.string().transform((given, context) => {
    const read = /^\d+(\.\d+)?$/.test(given) ? Number(given) : parseDuration(given);
    if (read !== undefined) return read;
    context.addIssue({
      code: 'custom',
      message: 'must be seconds or an ISO 8601 duration such as PT5M',
      input: given,
    });
    return z.NEVER;
  }),
]);

/** Seconds in a component, an ISO 8601 duration in a job (`300`, `"PT5M"`). */
export const timeoutSeconds = seconds.pipe(z.number().positive('must be more than 0'));

export const limits = wireObject({ timeout: timeoutSeconds.optional() }).optional();

/** A step runs in one process: `instance_count` beyond 1 would run it once and not as asked. */
export const oneInstance = wireObject({
  instanceCount: z.unknown().optional(),
})
  .refine(({ instanceCount }) => instanceCount === undefined || Number(instanceCount) === 1, {
    error: 'must be 1: a command runs on one instance here',
    path: ['instanceCount'],
  })
  .optional();

export const noDistribution = z
  .unknown()
  .optional()
  .refine((given) => given === undefined || given === null || isOneProcess(given), {
    error: 'is not supported: a command runs as one process; leave distribution out',
  });

const OneProcess = wireObject({
  processCountPerInstance: z.unknown().optional(),
  workerCount: z.unknown().optional(),
  parameterServerCount: z.unknown().optional(),
});

function isOneProcess(given: unknown): boolean {
  const read = OneProcess.safeParse(given);
  if (!read.success) return false;
  const { processCountPerInstance, workerCount, parameterServerCount } = read.data;
  const counts = [processCountPerInstance, workerCount].filter((count) => count !== undefined);
  return counts.length > 0 && counts.every((count) => Number(count) === 1) && Number(parameterServerCount ?? 0) === 0;
}

/**
 * A reference to an asset as it is kept: `azureml:<name>:<version>`, `azureml:<name>@<label>` or an ARM id. The client leaves out
 * `azureml:` at times (`heart_training:1`). Refuses a local path: the client uploads those and sends an id.
 */
export const assetReference = (what: string, kind: string) =>
  text.transform((given, context) => {
    const plain = given.replace(/^azureml:(?!\/\/)/i, '');
    if (/^[^:@/\\]+[:@][^:@/\\]+$/.test(plain)) return `azureml:${plain}`;
    if (/^(azureml:\/)?\/(subscriptions|locations)\//i.test(plain) && plain.toLowerCase().includes(`/${kind}/`))
      return plain;
    if (kind === 'environments' && isRegistryEnvironment(plain)) return plain;
    context.addIssue({
      code: 'custom',
      message: `'${given.slice(0, 200)}' is no ${what} of this workspace. Register it first (the client does that for a local path) and give azureml:<name>:<version> or its ARM id`,
      input: given,
    });
    return z.NEVER;
  });

/** One schema for a text and another for all else: unlike a union, it tells the faults of the one that was meant. */
export const textOr = <Text extends z.ZodType, Other extends z.ZodType>(written: Text, other: Other) =>
  z.unknown().transform((value, context): z.infer<Text> | z.infer<Other> => {
    const read = (typeof value === 'string' ? written : other).safeParse(value, { error: wording });
    if (read.success) return read.data;
    for (const { path, message } of read.error.issues)
      context.addIssue({ code: 'custom', path, message, input: value });
    return z.NEVER;
  });

/** A map of texts and of what reads as one. An absent one is empty. */
export const absentAsEmpty = <Schema extends z.ZodType>(schema: Schema) =>
  z.preprocess((value) => value ?? {}, z.record(z.string(), schema));
