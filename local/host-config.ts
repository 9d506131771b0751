import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { hostIdOf } from './host-id.ts';
import { parseFile, readJson } from './json-file.ts';
import { logLevels, type LogLevels } from './log.ts';
import { expandSettings } from './setting-names.ts';
import { timeSpan } from './time-span.ts';
import { blobsSection, queuesSection, type BlobSettings, type QueueSettings } from './triggers/settings.ts';

/** host.json, as far as this host acts on it. */
export interface HostConfig {
  readonly routePrefix: string;
  readonly hubName: string;
  readonly defaultVersion: string;
  readonly maxConcurrentActivities: number;
  readonly maxConcurrentOrchestrators: number;
  readonly logLevels: LogLevels;
  /** Infinity lets functions run for ever. */
  readonly functionTimeoutMs: number;
  readonly queues: QueueSettings;
  readonly blobs: BlobSettings;
  readonly hostId: string;
}

const functionTimeout = z.union([
  z.literal('-1').transform(() => Infinity),
  timeSpan.pipe(z.number().min(1000, 'must be at least 00:00:01')),
]);

// Numbers may be text, as an override in the environment always is.
const hostJson = z.object({
  logging: z.object({ logLevel: logLevels.default({}) }).default({ logLevel: {} }),
  functionTimeout: functionTimeout.default(30 * 60_000),
  extensions: z
    .object({
      queues: queuesSection.optional(),
      blobs: blobsSection.optional(),
      http: z.object({ routePrefix: z.string().optional() }).optional(),
      durableTask: z
        .object({
          hubName: z.string().optional(),
          defaultVersion: z.string().optional(),
          maxConcurrentActivityFunctions: z.coerce.number().int().positive().optional(),
          maxConcurrentOrchestratorFunctions: z.coerce.number().int().positive().optional(),
        })
        .optional(),
    })
    .optional(),
});

const overridePrefix = 'AzureFunctionsJobHost__';

/** Settings named AzureFunctionsJobHost__a__b replace a.b of host.json, in any case, as on the real host. */
function withOverrides(file: string, json: unknown, env: NodeJS.ProcessEnv): unknown {
  const overrides = parseFile(file, z.record(z.string(), z.unknown()), json);
  for (const [name, value] of Object.entries(env)) {
    if (value === undefined || !name.toLowerCase().startsWith(overridePrefix.toLowerCase())) continue;
    setPath(overrides, name.slice(overridePrefix.length).split('__'), value);
  }
  return overrides;
}

function setPath(target: Record<string, unknown>, path: readonly string[], value: unknown): void {
  const [first, ...rest] = path;
  if (first === undefined) return;
  const key = Object.keys(target).find((existing) => existing.toLowerCase() === first.toLowerCase()) ?? first;
  if (rest.length === 0) {
    target[key] = value;
    return;
  }
  const inner = z.record(z.string(), z.unknown()).catch({}).parse(target[key]);
  setPath(inner, rest, value);
  target[key] = inner;
}

/** Reads <root>/host.json. A missing file, bad JSON or a wrong type is an error that names the file and the field. */
export async function readHostConfig(root: string, env: NodeJS.ProcessEnv): Promise<HostConfig> {
  const file = join(root, 'host.json');
  const config = parseFile(file, hostJson, withOverrides(file, await readJson(file, { mayBeAbsent: false }), env));
  const durable = config.extensions?.durableTask;
  const tenPerCore = 10 * availableParallelism();
  return {
    routePrefix: config.extensions?.http?.routePrefix ?? 'api',
    hubName: expandHubName(file, durable?.hubName ?? 'TestHubName', env),
    defaultVersion: durable?.defaultVersion ?? '',
    maxConcurrentActivities: durable?.maxConcurrentActivityFunctions ?? tenPerCore,
    maxConcurrentOrchestrators: durable?.maxConcurrentOrchestratorFunctions ?? tenPerCore,
    logLevels: config.logging.logLevel,
    functionTimeoutMs: config.functionTimeout,
    queues: config.extensions?.queues ?? queuesSection.parse({}),
    blobs: config.extensions?.blobs ?? blobsSection.parse({}),
    hostId: hostIdOf(root, env),
  };
}

function expandHubName(file: string, hubName: string, env: NodeJS.ProcessEnv): string {
  try {
    return expandSettings(hubName, env);
  } catch (error) {
    throw new Error(`${file}: extensions.durableTask.hubName cannot be used.`, { cause: error });
  }
}

const localSettings = z.object({
  IsEncrypted: z.boolean().default(true),
  Values: z.record(z.string(), z.union([z.string(), z.null()])).default({}),
  Host: z
    .object({
      LocalHttpPort: z.number().int().optional(),
      /** Origins, separated by commas, or "*". */
      CORS: z.string().optional(),
      CORSCredentials: z.boolean().optional(),
    })
    .default({}),
});

/** The section of local.settings.json that is for the host itself. */
export type HostSection = z.infer<typeof localSettings>['Host'];

/**
 * Puts local.settings.json's Values into the environment, where what is already there wins. Answers what the file
 * says to the host itself. No file is fine.
 */
export async function applyLocalSettings(root: string, env: NodeJS.ProcessEnv): Promise<HostSection> {
  const file = join(root, 'local.settings.json');
  const json = await readJson(file, { mayBeAbsent: true });
  if (json === undefined) return {};
  const settings = parseFile(file, localSettings, json);
  if (settings.IsEncrypted) {
    throw new Error(
      `${file} is encrypted (IsEncrypted is true or missing). Set "IsEncrypted": false and plain Values.`,
    );
  }
  for (const [name, value] of Object.entries(settings.Values)) {
    if (value !== null && env[name] === undefined) env[name] = value;
  }
  return settings.Host;
}
