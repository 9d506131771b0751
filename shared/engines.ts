import { join } from 'node:path';
import { pythonEnvironments } from './scoring/environments/python-environments.ts';
import { localFolders } from './scoring/local-folders.ts';
import { moduleEngine } from './scoring/module/engine.ts';
import { checkScript } from './scoring/python/check-script.ts';
import { pythonEngine } from './scoring/python/engine.ts';
import { pyfuncEngine } from './scoring/python/pyfunc.ts';
import { scoringEngines, type ScoringEngines } from './scoring/scoring-engines.ts';
import type { Settings } from './settings.ts';
import type { Log } from './steps/ports.ts';
import type { Blobs } from './storage/ports.ts';
import type { Registry } from './storage/registry/resources.ts';

/** What scores in this process, as the app's settings say. */
export function engines(settings: Settings, registry: Registry, blobs: Blobs, log: Log): ScoringEngines {
  const { BATCHPOINT_WORK_FOLDER: root } = settings;
  const maxBytes = settings.BATCHPOINT_CACHE_MB * 1024 * 1024;
  const workers = {
    idleMs: settings.BATCHPOINT_WORKER_IDLE_SECONDS * 1000,
    memoryMb: settings.BATCHPOINT_WORKER_MEMORY_MB,
  };
  return scoringEngines({
    registry,
    blobs,
    folders: localFolders({ root: join(root, 'assets'), maxBytes }),
    engines: {
      python: (options) => pythonEngine({ ...options, ...workers }),
      pyfunc: (options) => pyfuncEngine({ ...options, ...workers }),
      module: (options) => moduleEngine({ ...options, ...workers }),
      checkScript,
    },
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
