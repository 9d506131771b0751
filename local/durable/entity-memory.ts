import { z } from 'zod';
import { newExecutionId } from './episode.ts';
import type { InstanceHead } from './store.ts';

const memorySchema = z.object({
  exists: z.boolean(),
  /** JSON text. */
  state: z.string().nullable(),
  /** Ids of requests that have been applied and that their sender may still send again. */
  applied: z.array(z.string()),
  /** What the last batch decided to send: each of it may arrive twice, none of it is lost. */
  outbox: z.object({
    answers: z.array(
      z.object({ instanceId: z.string(), requestId: z.string(), result: z.string().nullable(), isError: z.boolean() }),
    ),
    signals: z.array(
      z.object({ target: z.string(), operation: z.string(), input: z.string().nullable(), id: z.string() }),
    ),
  }),
});

/** All that is stored of an entity: its instance's input, as on the real host (EXT SchedulerState). */
export type EntityMemory = z.infer<typeof memorySchema>;

const nothing: EntityMemory = { exists: false, state: null, applied: [], outbox: { answers: [], signals: [] } };

/** Throws a ZodError or SyntaxError on a head that is not an entity's. */
export function memoryOf(head: InstanceHead): EntityMemory {
  return memorySchema.parse(JSON.parse(head.input ?? 'null'));
}

export function withMemory(head: InstanceHead, memory: EntityMemory): InstanceHead {
  return { ...head, input: JSON.stringify(memory), lastUpdatedTime: new Date().toISOString() };
}

/** The instance of an entity that nobody has asked for anything yet. It never ends. */
export function newEntityHead(instanceId: string, name: string): InstanceHead {
  const now = new Date().toISOString();
  return {
    ...{ instanceId, executionId: newExecutionId(), name: `@${name}`, version: '', status: 'Running' },
    ...{ input: JSON.stringify(nothing), output: null, customStatus: null, createdTime: now, lastUpdatedTime: now },
    parent: null,
  };
}
