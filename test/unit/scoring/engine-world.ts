import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach } from 'vitest';
import type { Scorer } from '../../../shared/domain/scorer.ts';
import type { EnvironmentNeeds } from '../../../shared/scoring/environments/needs.ts';
import type { CodeEngines, EngineDeps } from '../../../shared/scoring/load-engine.ts';
import { localFolders, type LocalFolders } from '../../../shared/scoring/local-folders.ts';
import { scoringPlaces } from '../../../shared/scoring/scoring-places.ts';
import { assetFile, type FileKind } from '../../../shared/storage/asset-files.ts';
import { memoryBlobs } from '../../../shared/storage/memory-blobs.ts';
import { memoryTables } from '../../../shared/storage/memory-tables.ts';
import { resourceRegistry } from '../../../shared/storage/registry/resources.ts';

export const ONNX = 'flavors:\n  python_function: {}\n  onnx: {data: model.onnx}\n';
export const PYFUNC = 'flavors:\n  python_function: {}\n  sklearn: {}\n';

export const scorer: Scorer = { model: { name: 'heart', version: '1' }, loggingLevel: 'Info', workers: 2 };
export const withScript = (script: string): Scorer => ({ ...scorer, code: { name: 'scoring', version: '1', script } });

/** Local copies below a folder of each test. */
export function testFolders(): { readonly folders: LocalFolders; readonly root: string } {
  const made = { folders: localFolders({ root: '', maxBytes: 0 }), root: '' };
  beforeEach(async () => {
    made.root = await mkdtemp(join(tmpdir(), 'batchpoint-load-'));
    // Copies that nobody uses go at once.
    made.folders = localFolders({ root: made.root, maxBytes: 0 });
  });
  afterEach(async () => {
    await made.folders.close();
    await rm(made.root, { recursive: true, force: true });
  });
  return made;
}

/** Registered versions, and engines of users' code that only tell what they were given. */
export async function engineWorld(folders: LocalFolders, change: Partial<EngineDeps> = {}) {
  const blobs = memoryBlobs();
  const registry = resourceRegistry({ table: memoryTables()('registry'), blobs });
  const log: [engine: string, options: object][] = [];
  const asked: EnvironmentNeeds[] = [];
  let leased = 0;
  const never = () => {
    throw new Error('nothing is scored here');
  };
  const loaded = (engine: string, options: object) => {
    log.push([engine, options]);
    return { columns: [engine], score: never, close: async () => undefined };
  };
  const engines: CodeEngines = {
    python: async (options) => ({ kind: 'miniBatch', takesBytes: false, ...loaded('python', options) }),
    pyfunc: async (options) => ({ kind: 'file', takesParts: false, ...loaded('pyfunc', options) }),
    module: async (options) => ({ kind: 'miniBatch', takesBytes: true, ...loaded('module', options) }),
    checkScript: async (...options) => void log.push(['checkScript', options]),
  };
  const environments: EngineDeps['environments'] = {
    check: async (needs) => (asked.push(needs), '/env/python'),
    interpreter: async (needs, print) => {
      asked.push(needs);
      print(`building ${needs.label}`);
      leased++;
      return { python: '/env/python', ignored: [], release: () => void leased-- };
    },
  };
  const deps: EngineDeps = {
    ...{ registry, blobs, folders, engines, environments, allowCode: true, places: scoringPlaces(1) },
    ...change,
  };

  async function register(kind: FileKind, name: string, files: Record<string, string | Uint8Array>, folder?: string) {
    const stored = { description: null, tags: {}, properties: {}, createdBy: 't', modifiedAt: '' };
    const createdAt = new Date(Date.UTC(2026, 0, 1) + registered++).toISOString();
    const record = {
      ...{ name, version: '1', ...stored, createdAt, isAnonymous: false, isArchived: false },
      files: Object.entries(files).map(([path, content]) => ({ path, length: Buffer.from(content).length })),
      ...(folder !== undefined && { folder }),
    };
    await blobs.ensureContainer(`batchpoint-${kind}`);
    for (const [path, content] of Object.entries(files))
      await blobs.write(assetFile(kind, record, path), Buffer.from(content));
    if (kind === 'codes') await registry.codes.create({ ...record, content: { codeUri: 'u' } });
    else {
      const content = { modelType: 'custom_model', modelUri: 'u', flavors: {}, jobName: null };
      await registry.models.create({ ...record, content });
    }
  }
  let registered = 0;
  return { deps, log, register, asked, interpretersInUse: () => leased };
}
