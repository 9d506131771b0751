import type { RegisteredFunction } from './functions.ts';
import type { Reply } from './http/reply.ts';

/** What `/admin/host/status` reports as the host's version; the name says that it is not the real one. */
export const hostVersion = '4.0.0-embedded';

/** Answers `/admin/...`: status, ping and the list of functions; any other route is a 501 that names it. */
export function answerAdmin(
  method: string,
  path: string,
  functions: readonly RegisteredFunction[],
  origin: string,
): Reply {
  const route = `${method} ${path.replace(/\/+$/, '').toLowerCase()}`;
  if (route === 'GET /admin/host/status') {
    const processUptime = Math.round(process.uptime() * 1000);
    const versions = { version: hostVersion, versionDetails: hostVersion };
    return { status: 200, json: { id: 'embedded', state: 'Running', ...versions, processUptime } };
  }
  if (route === 'GET /admin/host/ping' || route === 'POST /admin/host/ping') return { status: 200 };
  if (route === 'GET /admin/functions') {
    return { status: 200, json: functions.map((fn) => describe(fn, origin)) };
  }
  return { status: 501, json: { error: `The embedded host does not serve ${method} ${path}.` } };
}

function describe(fn: RegisteredFunction, origin: string): object {
  return {
    name: fn.name,
    href: `${origin}/admin/functions/${fn.name}`,
    language: 'node',
    isDisabled: false,
    config: fn.metadata,
  };
}
