/** The connection of a binding that names none. */
const defaultName = 'Storage';

/** What a setting says where this host is to work without storage, although a settings file names one. */
const noStorage = 'memory';

/**
 * The connection string that a binding's `connection` names, found as the WebJobs SDK does (IConfigurationExtensions):
 * `AzureWebJobs<name>` before `<name>`, each also as `ConnectionStrings:<name>` (`__` for `:` in the environment).
 * Undefined when nothing is set.
 */
export function findConnection(env: NodeJS.ProcessEnv, name: string = defaultName): string | undefined {
  for (const candidate of [`AzureWebJobs${name}`, name]) {
    const value = env[candidate] ?? env[`ConnectionStrings:${candidate}`] ?? env[`ConnectionStrings__${candidate}`];
    if (value !== undefined && value !== '' && value !== noStorage) return value;
  }
  return undefined;
}
