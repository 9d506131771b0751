import { z } from 'zod';
import type { TriggerData } from './admin-input.ts';
import type { RegisteredFunction } from './functions.ts';
import type { Reply } from './http/reply.ts';
import { urlOf, type Route } from './http/router.ts';
import { hostApiReason, type Invoke } from './invoke.ts';
import type { Log } from './log.ts';

/** What `/admin/host/status` reports as the host's version; the name says that it is not the real one. */
export const hostVersion = '4.0.0-embedded';

export interface AdminRequest {
  readonly method: string;
  /** What follows `/admin/`. */
  readonly segments: readonly string[];
  readonly path: string;
  readonly body: string;
  /** http://localhost:7071, as the client called the host. */
  readonly origin: string;
}

/** The HTTP API under `/admin/`. What it lacks is a 501 that names it. */
export interface Admin {
  answer(request: AdminRequest): Promise<Reply>;
}

export interface AdminOptions {
  readonly functions: readonly RegisteredFunction[];
  readonly routes: readonly Route[];
  readonly invoke: Invoke;
  readonly triggerData: TriggerData;
  readonly log: Log;
}

const invocationBody = z.object({ input: z.string().nullish() });

/** The answers of the real host's FunctionsController and HostController that a person or a test needs locally. */
export function createAdmin({ functions, routes, invoke, triggerData, log }: AdminOptions): Admin {
  /** In the background: nobody waits for it, so it says itself what failed. */
  async function run(fn: RegisteredFunction, input: string | undefined): Promise<void> {
    try {
      await invoke(fn, { ...(await triggerData(fn, input)), reason: hostApiReason });
    } catch (error) {
      log.error(`The function '${fn.name}' failed.`, error);
    }
  }

  function start(fn: RegisteredFunction, body: string): Reply {
    const parsed = invocationBody.safeParse(parseJson(body));
    if (!parsed.success) return { status: 400, json: { error: 'Send a body like {"input":"text"}.' } };
    void run(fn, parsed.data.input ?? undefined);
    return { status: 202 };
  }

  function describe(fn: RegisteredFunction, origin: string): object {
    const route = routes.find((candidate) => candidate.fn === fn);
    return {
      name: fn.name,
      href: `${origin}/admin/functions/${fn.name}`,
      invoke_url_template: route === undefined ? null : urlOf(route, origin),
      language: 'node',
      isDisabled: false,
      config: fn.metadata,
    };
  }

  function answerFunctions(request: AdminRequest, name: string | undefined, rest: readonly string[]): Reply {
    const { method, origin } = request;
    if (name === undefined) {
      if (method !== 'GET') return unsupported(request);
      return { status: 200, json: functions.map((each) => describe(each, origin)) };
    }
    const fn = functions.find((each) => each.name.toLowerCase() === name.toLowerCase());
    const operation = `${method} ${rest.join('/').toLowerCase()}`;
    if (!['GET ', 'POST ', 'GET status'].includes(operation)) return unsupported(request);
    // As the real host: a call without a body is wrong before its function is looked for.
    if (operation === 'POST ' && request.body === '') return { status: 400 };
    if (fn === undefined) return { status: 404 };
    if (operation === 'POST ') return start(fn, request.body);
    return { status: 200, json: operation === 'GET ' ? describe(fn, origin) : {} };
  }

  function answer(request: AdminRequest): Reply {
    const [area = '', ...rest] = request.segments;
    if (area.toLowerCase() === 'functions') return answerFunctions(request, rest[0], rest.slice(1));
    const operation = `${request.method} ${request.segments.join('/').toLowerCase()}`;
    if (operation === 'GET host/status') {
      const processUptime = Math.round(process.uptime() * 1000);
      const versions = { version: hostVersion, versionDetails: hostVersion };
      return { status: 200, json: { id: 'embedded', state: 'Running', ...versions, processUptime } };
    }
    if (operation === 'GET host/ping' || operation === 'POST host/ping') return { status: 200 };
    return unsupported(request);
  }

  return { answer: async (request) => answer(request) };
}

const unsupported = ({ method, path }: AdminRequest): Reply => ({
  status: 501,
  json: { error: `The embedded host does not serve ${method} ${path}.` },
});

/** Undefined for what is no JSON. */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
