import { ModelFault } from './scoring/engine.ts';
import { localFolders } from './scoring/local-folders.ts';
import { scoringEngines, type ScoringEngines } from './scoring/scoring-engines.ts';
import type { Settings } from './settings.ts';
import type { Blobs } from './storage/ports.ts';
import type { Registry } from './storage/registry/resources.ts';

/** What scores in this process, as the app's settings say. */
export function engines(settings: Settings, registry: Registry, blobs: Blobs): ScoringEngines {
  const absent = async (): Promise<never> => {
    throw new ModelFault("Users' code is not run yet.");
  };
  return scoringEngines({
    registry,
    blobs,
    folders: localFolders({
      root: settings.BATCHPOINT_WORK_FOLDER,
      maxBytes: settings.BATCHPOINT_CACHE_MB * 1024 * 1024,
    }),
    engines: { python: absent, pyfunc: absent, module: absent, checkScript: absent },
    interpreters: { check: absent, path: absent },
    allowCode: settings.BATCHPOINT_ALLOW_CODE,
    threads: settings.BATCHPOINT_SCORING_THREADS,
  });
}
