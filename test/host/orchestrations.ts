import { createFunctionRunner } from '../../local/durable/function-runner.ts';
import type { FunctionRunner } from '../../local/durable/runner.ts';
import { installCoreApi } from '../../local/core-api.ts';
import { registeredFunctions } from '../../local/functions.ts';
import { createInvoke } from '../../local/invoke.ts';
import { createLog } from '../../local/log.ts';

/** The functions of an app, in this process. Once per process: the library keeps its host. */
export async function loadFunctions(load: () => Promise<unknown>): Promise<FunctionRunner> {
  const log = createLog({ default: 'none' }, false);
  const registry = installCoreApi(log.app);
  await load();
  registry.close();
  const bindings = { read: async () => [], write: async () => undefined };
  const invoke = createInvoke({ registry, log, clientBinding: () => '{}', bindings, timeoutMs: Infinity });
  return createFunctionRunner(registeredFunctions(registry), invoke);
}

/** The app's own orchestrations, without its activities. */
export const loadOrchestrations = (): Promise<FunctionRunner> =>
  loadFunctions(() => import('../../functions/orchestrators.ts'));
