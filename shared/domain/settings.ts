import { z } from 'zod';
import { MiniBatchUnit } from './mini-batch-unit.ts';

/** How a deployment scores. Names and defaults are Azure ML's (contract 3.2, 5.2); every default of the product is filled here. */
export const ScoringSettings = z.object({
  /** Of one mini-batch, in the unit that `miniBatchUnit` says: files, unless it is told otherwise. */
  miniBatchSize: z.int().min(1).max(1_000_000_000_000).default(10),
  maxConcurrencyPerInstance: z.int().min(1).max(1000).default(1),
  instanceCount: z.int().min(1).max(1000).default(1),
  /** Tries in all, not tries after the first; `timeoutSeconds` stops one try of one mini-batch. */
  maxRetries: z.int().min(1).max(100).default(3),
  timeoutSeconds: z.number().positive().max(86_400).default(30),
  /** Failed files over the whole input above which the job fails; -1: never. */
  errorThreshold: z.int().min(-1).max(2_147_483_647).default(-1),
  outputFileName: z
    .string()
    .regex(/^[A-Za-z0-9_][A-Za-z0-9._-]{0,200}$/, 'must be a plain file name')
    .default('predictions.csv'),
  outputAction: z.enum(['AppendRow', 'SummaryOnly']).default('AppendRow'),
  loggingLevel: z.enum(['Debug', 'Info', 'Warning']).default('Info'),
});
export type ScoringSettings = z.infer<typeof ScoringSettings>;

/** A string from a client, a boolean once stored. */
const flag = z.preprocess(
  (value) => (value === 'true' ? true : value === 'false' ? false : value),
  z.boolean("must be 'true' or 'false'"),
);

const MAX_COLUMNS = 1000;

/** A string with commas from a client, a list once stored. */
const columnNames = z.preprocess(
  (value) => (typeof value === 'string' ? value.split(',').map((name) => name.trim()) : value),
  z
    .array(z.string().min(1, 'must be names with commas between them'))
    .min(1)
    .max(MAX_COLUMNS, `must be at most ${MAX_COLUMNS} names`)
    .refine((names) => new Set(names).size === names.length, 'must not name a column twice'),
);

/**
 * What Azure ML has no field for. Travels in a resource's `properties` map as `batchpoint.<name>` with string values,
 * because that is what the unmodified clients can send.
 */
export const Extensions = z.object({
  /** `csv`: RFC 4180 with a header. `azureml`: separated by spaces, no header. */
  outputFormat: z.enum(['csv', 'azureml']).default('csv'),
  miniBatchUnit: MiniBatchUnit.default('files'),
  /** Look into folders below the first level of the input. */
  recursive: flag.default(false),
  csvHeader: flag.default(true),
  csvDelimiter: z
    .string()
    .regex(
      /^[\t !#$%&'()*,/:;<=>?@[\\\]^`{|}~]$/,
      'must be one ASCII character that is neither a quote nor part of a number or word',
    )
    .default(','),
  /** An empty cell of a numeric column: the record fails, or the model sees NaN. */
  missing: z.enum(['error', 'nan']).default('error'),
  /** Of results that name their columns: these are written, in this order. */
  outputColumns: columnNames.optional(),
});
export type Extensions = z.infer<typeof Extensions>;

export const EXTENSION_PREFIX = 'batchpoint.';

/** Names that a client may send, for error texts. */
export const extensionNames = (): string[] => Object.keys(Extensions.shape).map((name) => EXTENSION_PREFIX + name);
