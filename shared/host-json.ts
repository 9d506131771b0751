import { readFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { z } from 'zod';

/** The app's folder: this file is in shared/ or in dist/shared/. */
const HOST_JSON = new URL(import.meta.url.endsWith('.ts') ? '../host.json' : '../../host.json', import.meta.url);

const HostJson = z.object({
  functionTimeout: z.string().optional(),
  extensions: z
    .object({ durableTask: z.object({ maxConcurrentActivityFunctions: z.number().optional() }).optional() })
    .optional(),
});

/** App settings, by name; those of this prefix go over host.json, as in the host. */
type Environment = Readonly<Record<string, string | undefined>>;
const PREFIX = 'AzureFunctionsJobHost__';

/** The host's functionTimeout as text; undefined where nothing is said. */
export const functionTimeoutText = async (environment: Environment): Promise<string | undefined> =>
  environment[`${PREFIX}functionTimeout`] ?? (await readHostJson()).functionTimeout;

/**
 * The activities that one instance of the app runs at once: its slots. Where nothing is said the Durable extension takes ten for
 * each core. Throws when the app setting is no whole number above 0.
 */
export async function activitySlots(environment: Environment): Promise<number> {
  const set = environment[`${PREFIX}extensions__durableTask__maxConcurrentActivityFunctions`];
  if (set !== undefined) return z.coerce.number().int().min(1).parse(set);
  const { extensions } = await readHostJson();
  return extensions?.durableTask?.maxConcurrentActivityFunctions ?? 10 * availableParallelism();
}

const readHostJson = async (): Promise<z.infer<typeof HostJson>> =>
  HostJson.parse(JSON.parse(await readFile(HOST_JSON, 'utf8')));
