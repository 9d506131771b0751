import { z } from 'zod';
import { textOf } from './literal.ts';
import type { PathType, Step, StepComponent, StepInput, StepOutput } from './model.ts';
import { named, outputType, PORT_NAME } from './ports.ts';
import { overrideFields, overridesOf } from './scoring-task.ts';
import {
  absentAsEmpty,
  assetReference,
  limits,
  mode,
  noDistribution,
  oneInstance,
  pathType,
  text,
  textOr,
  wireObject,
} from './wire.ts';

/**
 * A node of a pipeline as clients write it. Specs and jobs have the same nodes; their inputs say `job_input_type`, those of REST
 * callers `jobInputType`, and YAML that is posted as it is gives bare values.
 */

const literal = z.union([z.string(), z.number(), z.boolean()]);
const asText = (value: string | number | boolean): string => textOf(value) ?? String(value);

const isLiteralType = (type: string | undefined): boolean => type === undefined || /^literal$/i.test(type);

const sentInput = wireObject({
  jobInputType: z.string().optional(),
  type: z.string().optional(),
  value: literal.optional(),
  uri: z.string().min(1, 'must not be empty').optional(),
  path: z.string().min(1, 'must not be empty').optional(),
  mode,
}).transform(({ jobInputType, type = jobInputType, value, uri, path = uri }, context): StepInput | null => {
  const fail = (field: string, message: string): never => {
    context.addIssue({ code: 'custom', path: [field], message, input: undefined });
    return z.NEVER;
  };
  if (value !== undefined) return { kind: 'value', value: asText(value) };
  // A binding may come as the path of an input that has a mode.
  if (path?.includes('${{')) return { kind: 'value', value: path };
  if (path === undefined) return isLiteralType(type) ? null : fail('uri', 'is required');
  const read = pathType.safeParse(type ?? 'uri_folder');
  if (!read.success) return fail('job_input_type', read.error.issues[0]?.message ?? 'is no path type');
  return { kind: 'asset', type: read.data, uri: path };
});

/** Null and the empty text are "not set", as for the client, which drops both. */
const givenInput = z.preprocess(
  (value) => (value === null || value === '' ? {} : typeof value === 'object' ? value : { value }),
  sentInput,
);

/** The inputs that were given. */
export const givenInputs = named(PORT_NAME, givenInput).transform((inputs): Readonly<Record<string, StepInput>> =>
  Object.fromEntries(Object.entries(inputs).flatMap(([name, input]) => (input === null ? [] : [[name, input]]))),
);

const sentOutput = wireObject({
  jobOutputType: z.string().optional(),
  type: z.string().optional(),
  value: z.string().optional(),
  uri: z.string().min(1, 'must not be empty').nullable().optional(),
  path: z.string().min(1, 'must not be empty').nullable().optional(),
  mode,
}).transform(({ jobOutputType, type = jobOutputType, value, uri, path = uri }, context): StepOutput => {
  const binding = value ?? (path?.includes('${{') ? path : undefined);
  if (binding !== undefined) return { value: binding };
  let declared: PathType | undefined;
  if (!isLiteralType(type)) {
    const read = outputType.safeParse(type);
    if (!read.success) {
      context.addIssue({
        code: 'custom',
        path: ['job_output_type'],
        message: read.error.issues[0]?.message ?? 'is no path type',
        input: type,
      });
      return z.NEVER;
    }
    declared = read.data;
  }
  return {
    ...(typeof path === 'string' && { uri: path }),
    ...(declared !== undefined && { type: declared }),
  };
});

/** An output bound as null, a text, or `{type, mode, path}`. */
export const givenOutputs = named(
  PORT_NAME,
  z.preprocess((value) => (value === null ? {} : typeof value === 'string' ? { value } : value), sentOutput),
);

/** An environment by reference, or written out. */
export const environmentSource = textOr(
  assetReference('environment', 'environments').transform((reference) => ({ reference })),
  wireObject({
    image: z.string().nullable().default(null),
    /** The file's text, or its content as YAML reads it. */
    condaFile: z
      .union([z.string(), z.record(z.string(), z.unknown()).transform((content) => JSON.stringify(content))])
      .nullable()
      .default(null),
  }).refine(({ image, condaFile }) => image !== null || condaFile !== null, 'needs an image or a conda_file'),
);

export const environmentVariables = absentAsEmpty(
  z.union([z.string(), z.number(), z.boolean()], 'must be a text').transform(asText),
);

const TYPES = ['command', 'parallel', 'pipeline'] as const;

/** Of a step, or of a component that may be one. */
export const stepType = z.string().transform((given, context) => {
  const type = TYPES.find((one) => one === given.toLowerCase());
  if (type !== undefined) return type;
  const message = `'${given.slice(0, 40)}' is not supported; it must be one of ${TYPES.join(', ')}`;
  context.addIssue({ code: 'custom', message, input: given });
  return z.NEVER;
});

const componentReference = assetReference('component', 'components');

/** `component` reads a component that is written out in its step. */
export const stepSpec = (component: z.ZodType<StepComponent>) =>
  wireObject({
    type: stepType.default('command'),
    displayName: z.string().nullable().default(null),
    componentId: text.optional(),
    component: textOr(text, component).optional(),
    inputs: givenInputs,
    outputs: givenOutputs,
    computeId: z.string().nullable().optional(),
    compute: z.string().nullable().optional(),
    environment: environmentSource.nullable().default(null),
    environmentVariables,
    limits,
    distribution: noDistribution,
    ...overrideFields,
  }).transform((sent, context): Step => {
    const given = sent.componentId ?? sent.component;
    const fail = (field: string, message: string): never => {
      context.addIssue({ code: 'custom', path: [field], message, input: given });
      return z.NEVER;
    };
    if (given === undefined) return fail('componentId', 'is required: a step names the component that it runs');
    const timeout = sent.limits?.timeout;
    if (sent.type === 'command' && !oneInstance.safeParse(sent.resources).success)
      return fail('resources', 'instance_count must be 1: a command runs on one instance here');
    const reference = typeof given === 'string' ? componentReference.safeParse(given) : undefined;
    if (reference?.success === false)
      return fail('componentId', reference.error.issues[0]?.message ?? 'is no component');
    return {
      type: sent.type,
      displayName: sent.displayName,
      component: typeof given === 'string' ? { reference: reference?.data ?? given } : { inline: given },
      inputs: sent.inputs,
      outputs: sent.outputs,
      compute: sent.computeId ?? sent.compute ?? null,
      environment: sent.environment,
      environmentVariables: sent.environmentVariables,
      ...(timeout !== undefined && { timeoutSeconds: timeout }),
      overrides: sent.type === 'parallel' ? overridesOf(sent) : {},
    };
  });
