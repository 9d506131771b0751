import type { Scorer } from '../domain/scorer.ts';
import { engineCache, type EngineLease } from './engine-cache.ts';
import { engineOf, type EngineDeps } from './load-engine.ts';

/** Engines that are kept loaded at once. */
const MAX_ENGINES = 4;

export interface ScoringEngines {
  /**
   * The engine of a scorer, loaded when it is not there; `print` gets what the job's log should tell of that. Throws ModelFault
   * for what can never be scored with.
   */
  lease(scorer: Scorer, print: (line: string) => void): Promise<EngineLease>;
  /** Throws ModelFault for what could not score, as far as can be told without running a user's code. */
  prove(scorer: Scorer): Promise<void>;
}

/** The engines of this process. */
export function scoringEngines(deps: EngineDeps): ScoringEngines {
  const cache = engineCache({ maxEngines: MAX_ENGINES });
  return {
    async lease(scorer, print) {
      const { key, load } = await engineOf(deps, scorer);
      return cache.lease(key, () => load(print));
    },
    prove: async (scorer) => (await engineOf(deps, scorer)).prove(),
  };
}
