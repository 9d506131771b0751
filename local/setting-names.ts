/**
 * Replaces each `%name%` by the setting of that name (the SDK's [AutoResolve] attributes: queue names, blob paths,
 * hub names). Throws when a setting is missing or a `%` stands alone.
 */
export function expandSettings(text: string, env: NodeJS.ProcessEnv): string {
  const parts = text.split('%');
  if (parts.length % 2 === 0) throw new Error(`"${text}" has a '%' without its second one.`);
  return parts.map((part, i) => (i % 2 === 0 ? part : settingOf(part, env))).join('');
}

/** As `expandSettings`, for a text that is `%name%` as a whole; any other text stays as it is (timer schedules). */
export function expandWholeSetting(text: string, env: NodeJS.ProcessEnv): string {
  const name = /^%([^%]+)%$/.exec(text.trim())?.[1];
  return name === undefined ? text : settingOf(name, env);
}

function settingOf(name: string, env: NodeJS.ProcessEnv): string {
  const value = env[name];
  if (value === undefined || value === '') throw new Error(`%${name}% does not resolve to a value: set "${name}".`);
  return value;
}
