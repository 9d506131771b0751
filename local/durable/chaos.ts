import { z } from 'zod';

/** Faults that the real host has too, made frequent. All decisions come from one seeded sequence. */
export interface Chaos {
  /** Deliver this activity twice at once. */
  duplicate(): boolean;
  /** Lose this episode after its activities were sent. */
  ghost(): boolean;
}

const fraction = z.coerce.number().min(0).max(1).default(0);
const schema = z.object({
  BATCHPOINT_CHAOS_DUPLICATE: fraction,
  BATCHPOINT_CHAOS_GHOST: fraction,
  BATCHPOINT_CHAOS_SEED: z.coerce.number().int().default(1),
});

/** Reads the gates from the environment; without them nothing is ever drawn. Throws on a value outside 0..1. */
export function chaosFrom(env: NodeJS.ProcessEnv): Chaos {
  const settings = schema.parse(env);
  const duplicates = sequence(settings.BATCHPOINT_CHAOS_SEED);
  const ghosts = sequence(settings.BATCHPOINT_CHAOS_SEED ^ 0x5bd1e995);
  return {
    duplicate: () => settings.BATCHPOINT_CHAOS_DUPLICATE > 0 && duplicates() < settings.BATCHPOINT_CHAOS_DUPLICATE,
    ghost: () => settings.BATCHPOINT_CHAOS_GHOST > 0 && ghosts() < settings.BATCHPOINT_CHAOS_GHOST,
  };
}

/** A small xorshift generator: numbers in 0..1 that depend on the seed alone. */
function sequence(seed: number): () => number {
  // Zero would stay zero for ever, and neighbouring seeds start alike: spread them first.
  let state = Math.imul(seed ^ 0x9e3779b9, 0x85ebca6b) | 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 32;
  };
}
