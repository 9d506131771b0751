import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { containerFault } from './domain/container-names.ts';
import { azureMarks, isInAzure } from './in-azure.ts';
import { FOREIGN_NAMES, PUBLIC_AUTHORITY } from './auth/entra-tokens.ts';
import { DataGrants } from './auth/data-grants.ts';
import { Assignments } from './auth/roles.ts';
import { Extensions } from './domain/settings.ts';
import { limitSettings } from './limit-settings.ts';
import { isQueueName } from './storage/queue-rules.ts';
import { AccountConnection, STATE_FAULT, stateConnections, stateSettings } from './storage-settings.ts';
import { telemetrySettings } from './telemetry/settings.ts';

/** JSON in an app setting. */
const json = <T extends z.ZodType>(schema: T) =>
  z
    .string()
    .transform((text, context): unknown => {
      try {
        return JSON.parse(text);
      } catch {
        context.addIssue({ code: 'custom', message: 'must be JSON' });
        return z.NEVER;
      }
    })
    .pipe(schema);

/** `true` or `false`, in any case. */
const flag = z.stringbool({ truthy: ['true'], falsy: ['false'], error: 'must be true or false' });

/** Texts with commas between. */
const commaList = z.string().transform((text) =>
  text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== ''),
);

/** Tokens for these are made for everybody in a tenant: as the app's own they would count with their roles (S5.1). */
const isMicrosofts = (audience: string): boolean =>
  /^(?:https?:\/\/(?:[^/]*\.)?(?:azure\.(?:com|net|us|cn)|windows\.net|microsoft\.com|office\.com)(?:[:/]|$)|18a66f5f-)/i.test(
    audience,
  );

const DatastoreSetting = z.object({
  name: z.string().regex(/^[A-Za-z0-9_]{1,63}$/),
  connection: AccountConnection,
  container: z.string().refine((name) => containerFault(name) === undefined, 'must be a container for data'),
});

const WorkspaceSetting = z.object({
  subscriptionId: z.string().min(1),
  resourceGroup: z.string().min(1),
  workspace: z.string().min(1),
  location: z.string().min(1),
});

/** Often enough that a job whose start was lost waits little longer than the minute that the sweeper gives it. */
const SWEEP_SCHEDULE = '*/30 * * * * *';

/** One a core, and one for each slice that host.json lets run at once. */
const DEFAULT_THREADS = Math.min(64, Math.max(2, availableParallelism()));

/** The app's settings, read from the environment once. Names are in docs/settings.md. */
const AppSettings = z.object({
  /** The app's own state: registry tables, models, manifests, receipts. Never the datastores' account in Azure. */
  ...stateSettings,
  /** The first one is the default datastore. */
  BATCHPOINT_DATASTORES: json(z.array(DatastoreSetting).min(1)),
  /** Further accounts whose containers requests may make datastores of. */
  BATCHPOINT_DATASTORE_ACCOUNTS: json(z.array(AccountConnection)).default([]),
  BATCHPOINT_WORKSPACE: json(WorkspaceSetting),
  /** Public keys (JWKS as JSON) of the development token issuer. Refused in Azure. */
  BATCHPOINT_DEV_JWKS: z.string().min(1).optional(),
  /** The tenant of Microsoft Entra ID whose tokens count, and the app registration that they are for. */
  BATCHPOINT_TENANT_ID: z.guid().toLowerCase().optional(),
  BATCHPOINT_CLIENT_ID: z.guid().toLowerCase().optional(),
  /** App ID URIs of that registration beside `api://{client id}`, with commas between. */
  BATCHPOINT_AUDIENCES: commaList
    .refine((all) => !all.some(isMicrosofts), 'must not be an audience of a service of Microsoft')
    .prefault(''),
  /** Services whose tokens are taken, for clients that cannot ask for the app's own. */
  BATCHPOINT_ACCEPT_AUDIENCES: commaList.pipe(z.array(z.enum(FOREIGN_NAMES))).prefault(''),
  /** Roles by object id, beside those that tokens bring. */
  BATCHPOINT_ROLES: json(Assignments).prefault('{}'),
  /** Where jobs may read and write, beside what their deployments declare. */
  BATCHPOINT_GRANTS: json(DataGrants).prefault('[]'),
  /** How the app proves that it is the registration, to exchange callers' tokens: one of three. */
  BATCHPOINT_CLIENT_SECRET: z.string().min(1).optional(),
  BATCHPOINT_CLIENT_CERTIFICATE: z.string().min(1).optional(),
  BATCHPOINT_CLIENT_MANAGED_IDENTITY: z.guid().optional(),
  /** Id of the Key Vault key under which the access of callers is kept. */
  BATCHPOINT_SEALING_KEY: z
    .url({ protocol: /^https$/ })
    .regex(/^https:\/\/[^/]+\/keys\/[^/]+(\/[^/]+)?$/, 'must be https://<vault>/keys/<name>, or with a version')
    .optional(),
  BATCHPOINT_AUTHORITY: z
    .url({ protocol: /^https?$/ })
    .transform((url) => url.replace(/\/+$/, ''))
    .refine((url) => url.startsWith('https:') || /^http:\/\/127\.0\.0\.1(:\d+)?$/.test(url), 'must be https')
    .default(PUBLIC_AUTHORITY),
  BATCHPOINT_SLICE_SECONDS: z.coerce.number().positive().max(600).default(15),
  /** Threads of this process that score at once with ONNX models, whatever files and models they are for. */
  BATCHPOINT_SCORING_THREADS: z.coerce.number().int().min(1).max(64).default(DEFAULT_THREADS),
  /** MiB of output in one block. */
  BATCHPOINT_BLOCK_MB: z.coerce.number().positive().max(1000).default(4),
  /** Files of a job that are planned at once; of its beginning a tenth. */
  BATCHPOINT_SEGMENT_FILES: z.coerce.number().int().min(10).max(1_000_000).default(20_000),
  /** When the sweeper runs (NCRONTAB). */
  BATCHPOINT_SWEEP_SCHEDULE: z.string().min(1).default(SWEEP_SCHEDULE),
  /** Days that histories of orchestrations are kept; longer than the 7 that a job may take. */
  BATCHPOINT_JOB_RETENTION_DAYS: z.coerce.number().int().min(8).max(3650).default(30),
  BATCHPOINT_OUTPUT_FORMAT: Extensions.shape.outputFormat.unwrap().optional(),
  /** Where clients reach the app; by default what the host says of itself. */
  BATCHPOINT_BASE_URL: z.url().optional(),
  /** Queue of the state's account whose messages start jobs. */
  BATCHPOINT_INVOKE_QUEUE: z.string().refine(isQueueName, 'must be the name of a queue').default('invoke'),
  /** Container, or container and folder, whose new blobs are told to the watches, where there is no Event Grid. */
  BATCHPOINT_INBOX: z
    .string()
    .regex(/^[a-z0-9][a-z0-9-]{2,62}(\/[^/{}%]+)*$/, 'must be a container or container/folder')
    .optional(),
  /** Whether what deployments bring may run: scoring scripts, scoring modules and MLflow's python_function models. */
  BATCHPOINT_ALLOW_CODE: flag.default(false),
  /** The Python interpreter of scripts and models whose environment names no other. */
  BATCHPOINT_PYTHON: z.string().min(1).default('python3'),
  /** Interpreters by environment: names as deployments give them, where a `*` at the end stands for any rest. */
  BATCHPOINT_PYTHON_ENVIRONMENTS: json(z.record(z.string().min(1), z.string().min(1))).default({}),
  /** Make environments that no interpreter is named for, from their conda files. */
  BATCHPOINT_BUILD_ENVIRONMENTS: flag.default(false),
  /** Local copies of models and code, built environments, and what scripts write. */
  BATCHPOINT_WORK_FOLDER: z
    .string()
    .min(1)
    .default(() => join(tmpdir(), 'batchpoint')),
  /** MiB of local copies that are kept for the next use. */
  BATCHPOINT_CACHE_MB: z.coerce.number().positive().max(1_000_000).default(4096),
  /** MiB above which a Python worker is ended; absent: no limit. */
  BATCHPOINT_WORKER_MEMORY_MB: z.coerce.number().int().min(64).max(1_000_000).optional(),
  /** After so long without work a Python worker ends and gives its memory back. */
  BATCHPOINT_WORKER_IDLE_SECONDS: z.coerce.number().positive().max(86_400).default(300),
  /** MiB that the folder of one step of a pipeline may take: inputs, outputs and everything else. */
  BATCHPOINT_STEP_DISK_MB: z.coerce.number().int().min(1).max(10_000_000).default(10_240),
  /** MiB of address space of each process of a step; absent: no limit. */
  BATCHPOINT_STEP_MEMORY_MB: z.coerce.number().int().min(64).max(10_000_000).optional(),
  /** Who runs what callers bring: a user's name or `uid:gid`; absent: the app itself. */
  BATCHPOINT_CODE_USER: z
    .string()
    .regex(/^(?:[A-Za-z_][A-Za-z0-9_.-]{0,31}|\d{1,9}:\d{1,9})$/, "must be a user's name or uid:gid")
    .optional(),
  ...limitSettings,
  ...telemetrySettings,
  BATCHPOINT_LOG_LEVEL: z.enum(['debug', 'info', 'warn', 'error', 'silent']).default('info'),
  /** The host's own storage; the app looks only at where it is. */
  AzureWebJobsStorage: z.string().optional(),
  AzureWebJobsStorage__accountName: z.string().optional(),
  AzureWebJobsStorage__blobServiceUri: z.string().optional(),
  /** Client id of the managed identity with which the app opens storage; the SDK's own name for it. */
  AZURE_CLIENT_ID: z.string().min(1).optional(),
  WEBSITE_HOSTNAME: z.string().min(1).default('localhost:7071'),
  /** Set in Azure only. */
  ...azureMarks,
});

const Settings = AppSettings.transform((settings, context) => {
  const state = stateConnections(settings);
  if (state) return { ...settings, state, inAzure: isInAzure(settings) };
  context.addIssue({ code: 'custom', path: ['BATCHPOINT_STATE'], message: STATE_FAULT });
  return z.NEVER;
});
export type Settings = z.infer<typeof Settings>;

/** The names of all settings that the app reads. */
export const SETTING_NAMES: readonly string[] = Object.keys(AppSettings.shape);

/** Storage in this process, gone when it ends: for tests and the bench, never in Azure. */
export const MEMORY = 'memory';

/** The settings that decide which triggers on storage there are. */
export interface TriggerSettings {
  readonly invokeQueue: string;
  /** Undefined in Azure: Flex Consumption refuses an app that polls blobs. */
  readonly inbox: string | undefined;
}

/**
 * Reads what has to be known when the app loads. Undefined when there can be no triggers on storage: the state is in memory,
 * where no host could look, or a setting is wrong, which `readSettings` tells when the app starts.
 */
export function readTriggerSettings(
  environment: Readonly<Record<string, string | undefined>>,
): TriggerSettings | undefined {
  const read = Settings.safeParse(environment);
  if (!read.success || read.data.state.queue === MEMORY) return undefined;
  return { invokeQueue: read.data.BATCHPOINT_INVOKE_QUEUE, inbox: read.data.BATCHPOINT_INBOX };
}

/** When the sweeper's timer fires; known when the app loads, as above. */
export function sweepSchedule(environment: Readonly<Record<string, string | undefined>>): string {
  const { BATCHPOINT_SWEEP_SCHEDULE: schedule } = AppSettings.shape;
  return schedule.safeParse(environment['BATCHPOINT_SWEEP_SCHEDULE']).data ?? SWEEP_SCHEDULE;
}

/** Reads the environment; throws one Error that names every setting at fault, never a value. */
export function readSettings(environment: Readonly<Record<string, string | undefined>>): Settings {
  const read = Settings.safeParse(environment);
  if (read.success) return read.data;
  const faults = read.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`);
  throw new Error(`App settings are missing or wrong (see local.settings.sample.json):\n  ${faults.join('\n  ')}`);
}
