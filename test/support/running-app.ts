import { loadDevIssuer } from '../../cli/dev-issuer.ts';

/** The app's own audience: both planes accept it. */
export const DEFAULT_AUDIENCE = 'api://batchpoint';

/** An app that runs already, on any host. */
export interface RunningApp {
  /** Without a slash at the end. */
  readonly url: string;
  /** Connection string of its default datastore's account. */
  readonly storage: string;
  /** A bearer token for an audience. */
  sign(audience: string): Promise<string>;
  /** What it is, for a person. */
  readonly description: string;
}

const NAMES = ['FUNCTIONS_BASE_URL', 'FUNCTIONS_STORAGE', 'FUNCTIONS_TOKEN', 'FUNCTIONS_KEY_FILE'] as const;

/**
 * The app that the environment names: FUNCTIONS_BASE_URL, FUNCTIONS_STORAGE (its default datastore's connection string), and
 * FUNCTIONS_TOKEN (a bearer token for the app's own audience) or FUNCTIONS_KEY_FILE (the key of a development token issuer).
 * Undefined when it names none; throws when it names one by halves, so that no test runs elsewhere than was meant.
 */
export function runningApp(env: NodeJS.ProcessEnv): RunningApp | undefined {
  const [FUNCTIONS_BASE_URL, FUNCTIONS_STORAGE, FUNCTIONS_TOKEN, FUNCTIONS_KEY_FILE] = NAMES.map((name) =>
    env[name] === '' ? undefined : env[name],
  );
  const token = FUNCTIONS_TOKEN ?? FUNCTIONS_KEY_FILE;
  if (FUNCTIONS_BASE_URL === undefined && FUNCTIONS_STORAGE === undefined && token === undefined) return undefined;
  if (FUNCTIONS_BASE_URL === undefined || FUNCTIONS_STORAGE === undefined || token === undefined)
    throw new Error(
      'A running app needs FUNCTIONS_BASE_URL, FUNCTIONS_STORAGE, and FUNCTIONS_TOKEN or FUNCTIONS_KEY_FILE; without all of them the tests start their own.',
    );
  const url = FUNCTIONS_BASE_URL.replace(/\/+$/, '');
  return {
    url,
    storage: FUNCTIONS_STORAGE,
    async sign(audience) {
      if (FUNCTIONS_TOKEN === undefined) return (await loadDevIssuer(FUNCTIONS_KEY_FILE ?? '', env)).sign({ audience });
      if (audience === DEFAULT_AUDIENCE) return FUNCTIONS_TOKEN;
      throw new Error(`FUNCTIONS_TOKEN is one token: to test tokens for ${audience}, give FUNCTIONS_KEY_FILE.`);
    },
    description: `the app at ${url}, with ${FUNCTIONS_TOKEN === undefined ? `tokens of ${FUNCTIONS_KEY_FILE}` : 'the token of FUNCTIONS_TOKEN'}`,
  };
}
