import { createFunctionRunner } from '../../local/durable/function-runner.ts';
import type { FunctionRunner } from '../../local/durable/runner.ts';
import { installCoreApi } from '../../local/core-api.ts';
import { registeredFunctions } from '../../local/functions.ts';
import { createInvoke } from '../../local/invoke.ts';
import { createLog } from '../../local/log.ts';

/** The app's own orchestrations, in this process and without its activities. Once per process: the library keeps its host. */
export async function loadOrchestrations(): Promise<FunctionRunner> {
  const log = createLog({ default: 'none' }, false);
  const registry = installCoreApi(log.app);
  await import('../../functions/orchestrators.ts');
  registry.close();
  const bindings = { read: async () => [], write: async () => undefined };
  const invoke = createInvoke({ registry, log, clientBinding: () => '{}', bindings, timeoutMs: Infinity });
  return createFunctionRunner(registeredFunctions(registry), invoke);
}
