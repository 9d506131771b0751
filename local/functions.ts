import { z } from 'zod';
import type { AppRegistry, FunctionCallback } from './core-api.ts';

const binding = z.looseObject({
  type: z.string(),
  direction: z.string(),
  methods: z.array(z.string()).optional(),
  route: z.string().optional(),
  queueName: z.string().optional(),
  path: z.string().optional(),
  source: z.string().optional(),
  connection: z.string().optional(),
  sdkBinding: z.boolean().optional(),
  schedule: z.string().optional(),
  runOnStartup: z.boolean().optional(),
  useMonitor: z.boolean().optional(),
});

/** One binding of a function; the fields that this host acts on. */
export type Binding = z.infer<typeof binding>;

const duration = z.looseObject({ seconds: z.number() }).optional();
const retrySchema = z.object({
  maxRetryCount: z.number().int().min(-1),
  retryStrategy: z.enum(['fixedDelay', 'exponentialBackoff']),
  delayInterval: duration,
  minimumInterval: duration,
  maximumInterval: duration,
});

/** A retry policy as the library hands it over; -1 retries for ever. */
export type RetryPolicy = z.infer<typeof retrySchema>;

const metadataSchema = z.looseObject({
  name: z.string(),
  bindings: z.record(z.string(), binding),
  retryOptions: retrySchema.optional(),
});

/** One registered function: its trigger, and what the library wants back at each invocation. */
export interface RegisteredFunction {
  readonly id: string;
  readonly name: string;
  readonly triggerType: string;
  /** Name of the trigger's binding, made up by the library. */
  readonly triggerName: string;
  /** HTTP triggers only; upper case, empty when all methods are meant. */
  readonly methods: readonly string[];
  readonly route: string | undefined;
  /** Names of the bindings that want a Durable client. */
  readonly durableClients: readonly string[];
  readonly trigger: Binding;
  /** All bindings by name, the trigger too. */
  readonly bindings: Readonly<Record<string, Binding>>;
  readonly retry: RetryPolicy | undefined;
  readonly metadata: unknown;
  readonly callback: FunctionCallback;
}

/** Decodes what the app registered. Throws when a function has no trigger. */
export function registeredFunctions(registry: AppRegistry): RegisteredFunction[] {
  return Array.from(registry.functions, ([id, { metadata, callback }]) => {
    const parsed = metadataSchema.safeParse(metadata);
    if (!parsed.success) throw new Error(`The function '${id}' is not usable: ${z.prettifyError(parsed.error)}`);
    const { name, bindings, retryOptions } = parsed.data;
    const entries = Object.entries(bindings);
    const trigger = entries.find(([, { type }]) => /trigger$/i.test(type));
    if (trigger === undefined) throw new Error(`The function '${name}' has no trigger.`);
    const [triggerName, { type, methods = [], route }] = trigger;
    return {
      ...{ id, name, triggerName, route, bindings, metadata, callback },
      trigger: trigger[1],
      triggerType: type,
      retry: retryOptions,
      methods: methods.map((method) => method.toUpperCase()),
      durableClients: entries
        .filter(([, other]) => other.type === 'durableClient' || other.type === 'orchestrationClient')
        .map(([bindingName]) => bindingName),
    };
  });
}
