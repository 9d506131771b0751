import { defaultPollingMs, httpActivity, httpAnswer, type HttpAnswer, type HttpRequest } from './call-http.ts';
import { OrchestrationFault } from './operations.ts';
import type { TaskLedger } from './task-ledger.ts';

export interface HttpTask {
  readonly request: HttpRequest;
  /** The orchestrator's clock, ms since 1970. */
  readonly now: () => number;
  readonly done: () => void;
}

const besideOthers =
  'another task was scheduled while a callHttp was polling (202 with a Location). The SDK and the real host count ' +
  'tasks differently then and answers reach the wrong ones: pass enablePolling: false, or let it be the only task.';

/**
 * Schedules a callHttp and, while the answer is 202 with a Location, a timer and the next request (EXT
 * DurableOrchestrationContext.CallHttpAsync). The SDK gives the ids of both at once, the host that of the request
 * only when the timer has fired: nothing else may be scheduled in between.
 */
export function scheduleHttp(ledger: TaskLedger, { request, now, done }: HttpTask): void {
  if (request.tokenSource !== undefined && request.tokenSource !== null) {
    throw new OrchestrationFault(
      'callHttp with a tokenSource (managed identity) is not supported by the embedded host: there is no identity here.',
    );
  }
  const run = (current: HttpRequest): void => {
    ledger.schedule(
      (id) => ({ kind: 'activity', id, name: httpActivity, input: JSON.stringify(current) }),
      (ok, result) => {
        const answer = ok && request.asynchronousPatternEnabled === true ? accepted(result) : undefined;
        if (answer === undefined) done();
        else poll(answer);
      },
    );
  };
  const poll = ({ location, delayMs }: Accepted): void => {
    const fireAt = new Date(now() + delayMs).toISOString();
    ledger.schedule(
      (id) => ({ kind: 'timer', id, fireAt }),
      () => {
        release();
        run({ method: 'GET', uri: location, headers: withoutKey(request.headers), asynchronousPatternEnabled: true });
      },
    );
    const release = ledger.hold(besideOthers);
  };
  run(request);
}

interface Accepted {
  readonly location: string;
  readonly delayMs: number;
}

/** Where and when to ask again; undefined when the answer is the last one. */
function accepted(result: string | null): Accepted | undefined {
  const answer = httpAnswer.parse(JSON.parse(result ?? 'null'));
  const location = headerOf(answer, 'location');
  if (answer.statusCode !== 202 || location === undefined) return undefined;
  if (!/^https?:/i.test(location) || !URL.canParse(location)) {
    throw new OrchestrationFault(`callHttp cannot poll '${location}': the real host wants an absolute Location.`);
  }
  const after = headerOf(answer, 'retry-after');
  if (after === undefined) return { location, delayMs: defaultPollingMs };
  if (!/^\d+$/.test(after)) {
    throw new OrchestrationFault(
      `callHttp cannot poll with Retry-After '${after}': it is not a number of seconds, and the real host hangs on it.`,
    );
  }
  return { location, delayMs: Number(after) * 1000 };
}

function headerOf({ headers }: HttpAnswer, name: string): string | undefined {
  const value = headers[name];
  return Array.isArray(value) ? value.join(',') : value;
}

/** The key of the first function is seldom that of the status endpoint. */
function withoutKey(headers: HttpRequest['headers']): HttpRequest['headers'] {
  return Object.fromEntries(Object.entries(headers ?? {}).filter(([name]) => name.toLowerCase() !== 'x-functions-key'));
}
