import { join } from 'node:path';
import type { ApiDeps } from './api/deps.ts';
import { segmentSizes } from './domain/segments.ts';
import { workspaceGuid } from './domain/uri.ts';
import { codeTools, engines } from './engines.ts';
import { activitySlots } from './host-json.ts';
import { limitsOf } from './limit-settings.ts';
import { checkOwnAccounts } from './own-accounts.ts';
import { openSignedUrls } from './open-signed-urls.ts';
import { maxTimeoutSeconds, storagePatienceMs } from './function-timeout.ts';
import { storageOf, type StateStorage } from './open-storage.ts';
import { findCodeUser, openWorkFolder, type CodeUser } from './scoring/code-user.ts';
import { processFolder } from './scoring/process-folder.ts';
import { readSettings, type Settings } from './settings.ts';
import { datastoreSource, type Datastores } from './steps/datastore-source.ts';
import type { JobDeps } from './steps/deps.ts';
import { delegations } from './steps/identity/delegations.ts';
import { jobFiles } from './steps/job-files.ts';
import { jobLogChunks } from './steps/job-log-chunks.ts';
import { observer, type Observe } from './steps/observed.ts';
import type { TriggerDeps } from './steps/trigger-deps.ts';
import { commandExecutor, type ExecutorDeps } from './steps/pipeline/command-executor.ts';
import type { PipelineDeps } from './steps/pipeline/deps.ts';
import type { Log } from './steps/ports.ts';
import { withSignedUrls } from './steps/signed-urls.ts';
import { processTurns } from './steps/process-turns.ts';
import { sliceTime } from './steps/slice-time.ts';
import { appIdentity } from './storage/app-identity.ts';
import { azureBlobs } from './storage/azure-blobs.ts';
import { busyTimes } from './storage/busy-times.ts';
import type { TokenSource } from './storage/connection.ts';
import { once } from './storage/once.ts';
import { appKey } from './storage/registry/app-key.ts';
import { jobMemory, type JobMemory } from './storage/registry/job-memory.ts';
import { JOBS_CONTAINER, jobsRegistry } from './storage/registry/jobs.ts';
import { pipelinesRegistry } from './storage/registry/pipelines.ts';
import { resourceRegistry } from './storage/registry/resources.ts';
import { watchEvents } from './storage/registry/watch-events.ts';
import { appLog } from './telemetry/app-log.ts';
import { startTelemetry, type Telemetry } from './telemetry/start-telemetry.ts';
import type { Blobs } from './storage/ports.ts';
import type { KeyWrapping } from './storage/sealing/key-wrapping.ts';
import { localWrapping } from './storage/sealing/local-wrapping.ts';
import { vaultWrapping } from './storage/sealing/vault-wrapping.ts';
import { signContainers } from './storage/user-delegation.ts';
import { trust } from './token-issuers.ts';

/** Everything that the triggers need, built once per process. */
export interface Runtime {
  readonly jobDeps: JobDeps;
  readonly pipelineDeps: PipelineDeps;
  /** How long the histories of orchestrations are kept. */
  readonly retentionDays: number;
  readonly apiDeps: Omit<ApiDeps, 'orchestrations' | 'pipelineOrchestrations' | 'cancelJob' | 'salvageJob'>;
  readonly triggerDeps: Omit<TriggerDeps, 'orchestrations'>;
  readonly telemetry: Telemetry;
  /** Activities of scoring jobs, and of pipelines, run through these. */
  readonly observeJob: Observe;
  readonly observePipeline: Observe;
}

let made: Promise<Runtime> | undefined;

/** The process's runtime. A failed start is tried again at the next call. Throws on wrong settings, naming them. */
export async function runtime(): Promise<Runtime> {
  try {
    return await (made ??= compose(readSettings(process.env)));
  } catch (error) {
    made = undefined;
    throw error;
  }
}

async function compose(settings: Settings): Promise<Runtime> {
  const log = appLog(settings.BATCHPOINT_LOG_LEVEL);
  const { tenantId, exchange, ...tokens } = trust(settings, log);
  checkOwnAccounts(settings);
  const grants = settings.BATCHPOINT_GRANTS;
  const clock = { now: () => Date.now() };
  const identity = appIdentity({
    inAzure: settings.inAzure,
    clientId: settings.AZURE_CLIENT_ID,
  });
  const timeLimit = await maxTimeoutSeconds(process.env, settings.BATCHPOINT_SLICE_SECONDS);
  const patienceMs = storagePatienceMs(timeLimit);
  const storageWaits = busyTimes({
    began: () => log.warn({}, 'storage turns calls away as too busy: they wait'),
    ended: (seconds) => log.warn({ seconds }, 'storage takes calls again'),
  });
  const open = storageOf(settings, identity);
  // Activities wait for busy storage; for the answer of a request somebody else waits.
  const patience = { patienceMs, busy: storageWaits };
  const { state: own, datastores: stores } = open(patience);
  const memory = jobMemory();
  const { jobs, pipelines, registry } = registries(own, memory);
  const { blobs: systemBlobs, table } = own;
  const { state: asked, datastores: askedStores } = open();
  const forRequests = registries(asked, memory);
  await systemBlobs.ensureContainer(JOBS_CONTAINER);
  const { subscriptionId, resourceGroup, workspace, location } = settings.BATCHPOINT_WORKSPACE;
  const address = { subscriptionId, resourceGroup, workspace };
  const wrapping = keyWrapping(settings, identity, systemBlobs);
  const signed = openSignedUrls(settings, { table, wrapping, workspace: address, clock }, patience);
  const datastores = withSignedUrls(datastoreSource({ registry, clock, ...stores }), signed);
  const requested = withSignedUrls(datastoreSource({ registry: forRequests.registry, clock, ...askedStores }), signed);
  const datastoresForRequests: Datastores = {
    ...requested,
    changed() {
      requested.changed();
      datastores.changed();
    },
  };
  const access = delegations({
    blobs: systemBlobs,
    wrapping,
    exchange,
    sign: signContainers,
    open: (serviceUri) => azureBlobs({ serviceUri }, patience),
    clock,
    log,
  });
  const codeUser = await openToCode(settings, log);
  const tools = codeTools(settings, codeUser, log);
  const scorers = engines(settings, tools, registry, systemBlobs);
  const files = jobFiles(systemBlobs);
  const limits = limitsOf(settings);
  const appExtensions =
    settings.BATCHPOINT_OUTPUT_FORMAT === undefined ? {} : { outputFormat: settings.BATCHPOINT_OUTPUT_FORMAT };
  const jobDeps: JobDeps = {
    jobs,
    registry,
    files,
    logs: jobLogChunks(systemBlobs),
    datastores,
    delegations: access,
    workspace: address,
    engine: scorers.lease,
    codeUser,
    workFolder: once(() => processFolder(join(settings.BATCHPOINT_WORK_FOLDER, 'work'), codeUser)),
    clock,
    limits,
    log,
    turns: processTurns(),
    sliceTime: sliceTime(),
    sliceMs: settings.BATCHPOINT_SLICE_SECONDS * 1000,
    slots: await activitySlots(process.env),
    storageWaits,
    longestTryMs: timeLimit * 1000 - patienceMs,
    blockBytes: settings.BATCHPOINT_BLOCK_MB * 1024 * 1024,
    segmentSizes: segmentSizes(settings.BATCHPOINT_SEGMENT_FILES),
  };
  // Last: what is registered stays registered, also when a start fails and is tried again.
  const say = (fault: string): void => log.warn({ fault }, 'telemetry was not sent');
  const telemetry = await startTelemetry(settings, { say, identity });
  log.sendTo(telemetry);
  return {
    telemetry,
    observeJob: observer((job) => jobs.spec(job), telemetry.on),
    observePipeline: observer((job) => pipelines.spec(job), telemetry.on),
    jobDeps,
    pipelineDeps: {
      ...jobDeps,
      pipelines,
      appExtensions,
      maxTimeoutSeconds: timeLimit,
      executor: commandExecutor({
        ...jobDeps,
        ...tools,
        ...stepLimits(settings),
        pipelines,
        systemBlobs,
        environment: process.env,
        allowCode: settings.BATCHPOINT_ALLOW_CODE,
        maxTimeoutSeconds: timeLimit,
      }),
    },
    retentionDays: settings.BATCHPOINT_JOB_RETENTION_DAYS,
    apiDeps: {
      ...forRequests,
      datastores: datastoresForRequests,
      delegations: access,
      systemBlobs: asked.blobs,
      clock,
      limits,
      log,
      workspace: {
        ...address,
        location,
        workspaceId: workspaceGuid(address),
        tenantId,
      },
      baseUrl: () => baseUrl(settings),
      ...tokens,
      signedUrls: signed,
      prove: scorers.prove,
      grants,
      allowCode: settings.BATCHPOINT_ALLOW_CODE,
      maxTimeoutSeconds: timeLimit,
      appExtensions,
    },
    triggerDeps: {
      ...forRequests,
      datastores: datastoresForRequests,
      delegations: access,
      files,
      grants,
      events: watchEvents(asked.table, clock),
      queue: asked.queue,
      clock,
      log,
      workspace: address,
      appExtensions,
      maxTimeoutSeconds: timeLimit,
    },
  };
}

const registries = (storage: StateStorage, memory: JobMemory) => ({
  jobs: jobsRegistry({ ...storage, memory }),
  pipelines: pipelinesRegistry(storage),
  registry: resourceRegistry(storage),
});

/** Who runs what callers bring, with a work folder that it can reach. */
async function openToCode(settings: Settings, log: Log): Promise<CodeUser | undefined> {
  const { BATCHPOINT_CODE_USER: name, BATCHPOINT_WORK_FOLDER: folder, BATCHPOINT_ALLOW_CODE: allowed } = settings;
  if (name === undefined) {
    if (allowed && settings.inAzure)
      log.warn({}, 'BATCHPOINT_CODE_USER is not set: code that callers bring runs as the app');
    return undefined;
  }
  const user = await findCodeUser(name);
  await openWorkFolder(folder, user);
  return user;
}

function stepLimits(settings: Settings): Pick<ExecutorDeps, 'limits'> {
  const { BATCHPOINT_STEP_DISK_MB: disk, BATCHPOINT_STEP_MEMORY_MB: memory } = settings;
  return {
    limits: { diskBytes: disk * 1024 ** 2, memoryBytes: memory === undefined ? undefined : memory * 1024 ** 2 },
  };
}

/** A key of the vault; on a developer's machine the app's own. */
const keyWrapping = ({ BATCHPOINT_SEALING_KEY: key }: Settings, identity: TokenSource, blobs: Blobs): KeyWrapping =>
  key === undefined ? localWrapping(appKey(blobs)) : vaultWrapping(key, identity);

const baseUrl = (settings: Settings): string => {
  if (settings.BATCHPOINT_BASE_URL !== undefined) return settings.BATCHPOINT_BASE_URL.replace(/\/$/, '');
  const scheme = /^(localhost|127\.0\.0\.1)(:|$)/.test(settings.WEBSITE_HOSTNAME) ? 'http' : 'https';
  return `${scheme}://${settings.WEBSITE_HOSTNAME}`;
};
