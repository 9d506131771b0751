import { z } from 'zod';
import type { EntityId, EntityRequest } from './entity-message.ts';

/** What an entity remembers. `state` is JSON text, null for none. */
export interface EntityState {
  readonly exists: boolean;
  readonly state: string | null;
}

const resultSchema = z.object({ isError: z.boolean(), result: z.string().nullish() });
const answerSchema = z.object({
  // The SDK leaves holes where an operation failed behind the place at which an earlier one answered twice.
  results: z.array(resultSchema.nullable()),
  signals: z.array(
    z.object({
      target: z.object({ name: z.string().min(1), key: z.string().min(1) }),
      name: z.string(),
      input: z.string().nullish(),
    }),
  ),
  entityExists: z.boolean(),
  entityState: z.string().nullish(),
});

export interface EntityResult {
  readonly isError: boolean;
  /** JSON text; null when the operation returned nothing. */
  readonly result: string | null;
}

export interface EntitySignal {
  readonly target: EntityId;
  readonly operation: string;
  /** JSON text; null for none. */
  readonly input: string | null;
}

/** The answer of an entity function to a batch of operations. */
export interface EntityAnswer {
  readonly next: EntityState;
  /** One for each operation, in their order. */
  readonly results: readonly EntityResult[];
  readonly signals: readonly EntitySignal[];
}

/** The text that an entity trigger receives (EXT TaskEntityShim). */
export function encodeEntityBatch(self: EntityId, before: EntityState, requests: readonly EntityRequest[]): string {
  const batch = requests.map(({ op, input, signal }) => ({
    name: op,
    input: input ?? null,
    isSignal: signal ?? false,
  }));
  return JSON.stringify({ self, exists: before.exists, state: before.state, batch });
}

/** Reads what an entity function returned for so many operations. Throws when it is not the SDK's answer. */
export function decodeEntityAnswer(json: string, operations: number): EntityAnswer {
  const { results, signals, entityExists, entityState } = answerSchema.parse(JSON.parse(json));
  if (results.length < operations) {
    throw new Error(`The entity answered ${results.length} of ${operations} operations.`);
  }
  return {
    next: { exists: entityExists, state: entityState ?? null },
    results: results.slice(0, operations).map((each) => ({
      isError: each?.isError ?? false,
      result: each?.result ?? null,
    })),
    signals: signals.map(({ target, name, input }) => ({
      target,
      operation: name,
      // The SDK writes "" where a signal has no input.
      input: input === undefined || input === '' ? null : input,
    })),
  };
}
