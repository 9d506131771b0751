import type { RequestListener } from 'node:http';
import { resolve } from 'node:path';
import { createTriggerData } from './admin-input.ts';
import { createAdmin } from './admin.ts';
import { createBindings } from './bindings/bindings.ts';
import { installCoreApi } from './core-api.ts';
import { createDurableApi } from './durable/api.ts';
import { chaosFrom } from './durable/chaos.ts';
import { createEngine } from './durable/engine.ts';
import { createFunctionRunner } from './durable/function-runner.ts';
import { clientBinding, type HubAddress } from './durable/links.ts';
import { memoryOnly, openStore } from './durable/open-store.ts';
import { registeredFunctions, type RegisteredFunction } from './functions.ts';
import { applyLocalSettings, readHostConfig } from './host-config.ts';
import { bodyLimit as readBodyLimit } from './http/body.ts';
import { createCors } from './http/cors.ts';
import { createBufferedCall } from './http/function-call.ts';
import { HOST_KEY_SETTING, hostKey } from './http/host-key.ts';
import { listen, type Certificate } from './http/listen.ts';
import { createRoutes } from './http/router.ts';
import { createListener } from './http/server.ts';
import { createStreamedCall } from './http/streamed-call.ts';
import { createInvoke } from './invoke.ts';
import { listFunctions, unservedTriggers } from './listing.ts';
import { loadApp } from './load-app.ts';
import { createLog } from './log.ts';
import { createStorageAccounts } from './storage-accounts.ts';
import { awaitStorage } from './storage-probe.ts';
import { indexApp } from './triggers/app-index.ts';
import { createQueueWatcher } from './triggers/queue-watcher.ts';
import { startTriggers } from './triggers/start-triggers.ts';

export interface HostOptions {
  /** Folder with host.json and package.json. */
  readonly root: string;
  /** 0 takes a free port; undefined leaves it to local.settings.json, else 7071. */
  readonly port: number | undefined;
  readonly verbose: boolean;
  /** Serves HTTPS with it. */
  readonly certificate?: Certificate;
}

export interface RunningHost {
  readonly port: number;
  /** Settles with a reason when another host has taken this one's task hub: this one must stop. */
  readonly lost: Promise<string>;
  stop(): Promise<void>;
}

const defaultPort = 7071;

/** Whether a function needs the store of durable instances. */
function isDurable({ triggerType, durableClients }: RegisteredFunction): boolean {
  return durableClients.length > 0 || ['orchestrationTrigger', 'entityTrigger'].includes(triggerType);
}

/** Loads the app and serves it. One host per process: the library keeps the first one it finds. */
export async function startHost(options: HostOptions): Promise<RunningHost> {
  const root = resolve(options.root);
  const { env } = process;
  const settings = await applyLocalSettings(root, env);
  const config = await readHostConfig(root, env);
  const log = createLog(config.logLevels, options.verbose);
  const cors = createCors(settings);
  const bodyLimit = readBodyLimit(env);
  const key = env[HOST_KEY_SETTING];

  // The port must be known before the app loads: it may read WEBSITE_HOSTNAME. Requests wait until then.
  const ready = Promise.withResolvers<ReturnType<typeof createListener>>();
  const answer: RequestListener = (request, response) => {
    void ready.promise.then((listener) => listener(request, response));
  };
  const server = await listen(options.port ?? settings.LocalHttpPort ?? defaultPort, answer, options.certificate);
  // The Durable client need not trust the certificate.
  const rpcServer = options.certificate ? await listen(0, answer) : server;
  const close = (): Promise<unknown> => Promise.all([...new Set([server, rpcServer])].map((one) => one.close()));
  try {
    const hub: HubAddress = {
      origin: `${options.certificate ? 'https' : 'http'}://localhost:${server.port}`,
      rpcOrigin: `http://localhost:${rpcServer.port}`,
      hubName: config.hubName,
      key,
    };
    env['WEBSITE_HOSTNAME'] = `localhost:${server.port}`;
    env['AzureWebJobsScriptRoot'] = root;
    env['AZURE_FUNCTIONS_ENVIRONMENT'] ??= 'Development';
    // The Durable client would send even calls to this host through a proxy.
    for (const name of ['NO_PROXY', 'no_proxy']) {
      env[name] = [env[name], 'localhost', '127.0.0.1', '[::1]'].filter(Boolean).join(',');
    }

    const registry = installCoreApi((level, category, message) => log.app(level, category, message));
    await loadApp(root);
    const hookData = { appHookData: {}, hookData: {}, functionAppDirectory: root };
    for (const hook of registry.hooks('appStart')) await hook(hookData);
    registry.close();
    const capabilities = (await registry.programmingModel()?.getCapabilities({})) ?? {};
    const { functions, triggers, bindingsOf, errors, notes } = indexApp(registeredFunctions(registry), env);
    const routes = createRoutes(functions, config.routePrefix);
    if (functions.some((fn) => fn.triggerType !== 'httpTrigger')) await awaitStorage(env);
    const accounts = createStorageAccounts();
    const watcher = createQueueWatcher();
    const bindings = createBindings({ bindingsOf, accounts, watcher, messageEncoding: config.queues.messageEncoding });
    const timeoutMs = config.functionTimeoutMs;
    const invoke = createInvoke({ registry, log, clientBinding: () => clientBinding(hub), bindings, timeoutMs });
    const runner = createFunctionRunner(functions, invoke);
    const durableStore = functions.some(isDurable) ? await openStore(env, config.hubName, log) : memoryOnly();
    const { store, lost } = durableStore;
    const strictReplay = env['BATCHPOINT_STRICT_REPLAY'] === '1';
    const engine = createEngine({ ...config, store, runner, log, chaos: chaosFrom(env), strictReplay });
    const durable = createDurableApi({ ...runner, engine, store, hub: () => hub });
    const admin = createAdmin({ functions, routes, invoke, triggerData: createTriggerData(env, accounts), log });
    const { HttpUri: httpUri } = capabilities;
    const call = { invoke, log, bodyLimit };
    const callFunction =
      typeof httpUri === 'string' ? createStreamedCall({ ...call, httpUri }) : createBufferedCall(call);
    const homePage = env['AzureWebJobsDisableHomepage']?.toLowerCase() !== 'true';
    await engine.recover();
    const doors = { admin, durable, hostKey: hostKey(key) };
    ready.resolve(createListener({ routes, ...doors, callFunction, cors, bodyLimit, homePage, log }));

    for (const line of listFunctions(functions, routes, hub.origin)) log.info(line);
    for (const line of unservedTriggers(functions)) log.warn(line);
    for (const line of errors) log.error(line);
    for (const line of notes) log.warn(line);
    const listeners = startTriggers({ triggers, config, env, accounts, watcher, invoke, log });
    return {
      port: server.port,
      lost,
      async stop() {
        await listeners.stop();
        engine.stop();
        durableStore.close();
        for (const hook of registry.hooks('appTerminate')) await hook(hookData);
        await close();
      },
    };
  } catch (error) {
    await close();
    throw error;
  }
}
