import { join } from 'node:path';
import type { CodeUser } from './scoring/code-user.ts';
import { pythonEnvironments, type PythonEnvironments } from './scoring/environments/python-environments.ts';
import { localFolders, type LocalFolders } from './scoring/local-folders.ts';
import { moduleEngine } from './scoring/module/engine.ts';
import { checkScript } from './scoring/python/check-script.ts';
import { pythonEngine } from './scoring/python/engine.ts';
import { pyfuncEngine } from './scoring/python/pyfunc.ts';
import { scoringPlaces } from './scoring/scoring-places.ts';
import { scoringEngines, type ScoringEngines } from './scoring/scoring-engines.ts';
import type { Settings } from './settings.ts';
import type { Log } from './steps/ports.ts';
import type { Blobs } from './storage/ports.ts';
import type { Registry } from './storage/registry/resources.ts';

/** What users' code needs of this machine: copies of its files, and interpreters. */
export interface CodeTools {
  readonly folders: LocalFolders;
  readonly environments: PythonEnvironments;
  /** Who runs it; the app's own user without. */
  readonly codeUser: CodeUser | undefined;
}

/** As the app's settings say; one of each in a process. */
export function codeTools(settings: Settings, codeUser: CodeUser | undefined, log: Log): CodeTools {
  const { BATCHPOINT_WORK_FOLDER: root } = settings;
  const maxBytes = settings.BATCHPOINT_CACHE_MB * 1024 * 1024;
  return {
    codeUser,
    folders: localFolders({ root: join(root, 'assets'), maxBytes, user: codeUser }),
    environments: pythonEnvironments({
      python: settings.BATCHPOINT_PYTHON,
      map: settings.BATCHPOINT_PYTHON_ENVIRONMENTS,
      build: settings.BATCHPOINT_BUILD_ENVIRONMENTS,
      root: join(root, 'environments'),
      maxBytes,
      own: process.env,
      user: codeUser,
      say: (line) => log.info({}, line),
    }),
  };
}

/** What scores in this process. */
export function engines(settings: Settings, tools: CodeTools, registry: Registry, blobs: Blobs): ScoringEngines {
  const workers = {
    idleMs: settings.BATCHPOINT_WORKER_IDLE_SECONDS * 1000,
    memoryMb: settings.BATCHPOINT_WORKER_MEMORY_MB,
    user: tools.codeUser,
  };
  return scoringEngines({
    registry,
    blobs,
    ...tools,
    engines: {
      python: (options) => pythonEngine({ ...options, ...workers }),
      pyfunc: (options) => pyfuncEngine({ ...options, ...workers }),
      module: (options) => moduleEngine({ ...options, ...workers }),
      checkScript: (python, folder, script) => checkScript(python, folder, script, tools.codeUser),
    },
    allowCode: settings.BATCHPOINT_ALLOW_CODE,
    places: scoringPlaces(settings.BATCHPOINT_SCORING_THREADS),
  });
}
