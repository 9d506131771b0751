import { join } from 'node:path';
import { ModelFault } from './scoring/engine.ts';
import { pythonEnvironments } from './scoring/environments/python-environments.ts';
import { localFolders } from './scoring/local-folders.ts';
import { scoringEngines, type ScoringEngines } from './scoring/scoring-engines.ts';
import type { Settings } from './settings.ts';
import type { Log } from './steps/ports.ts';
import type { Blobs } from './storage/ports.ts';
import type { Registry } from './storage/registry/resources.ts';

/** What scores in this process, as the app's settings say. */
export function engines(settings: Settings, registry: Registry, blobs: Blobs, log: Log): ScoringEngines {
  const { BATCHPOINT_WORK_FOLDER: root } = settings;
  const maxBytes = settings.BATCHPOINT_CACHE_MB * 1024 * 1024;
  const absent = async (): Promise<never> => {
    throw new ModelFault("Users' code is not run yet.");
  };
  return scoringEngines({
    registry,
    blobs,
    folders: localFolders({ root: join(root, 'assets'), maxBytes }),
    engines: { python: absent, pyfunc: absent, module: absent, checkScript: absent },
    environments: pythonEnvironments({
      python: settings.BATCHPOINT_PYTHON,
      map: settings.BATCHPOINT_PYTHON_ENVIRONMENTS,
      build: settings.BATCHPOINT_BUILD_ENVIRONMENTS,
      root: join(root, 'environments'),
      maxBytes,
      own: process.env,
      say: (line) => log.info({}, line),
    }),
    allowCode: settings.BATCHPOINT_ALLOW_CODE,
    threads: settings.BATCHPOINT_SCORING_THREADS,
  });
}
