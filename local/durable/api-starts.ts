import { setTimeout as wait } from 'node:timers/promises';
import type { Reply } from '../http/reply.ts';
import { isFalse, isJsonOrEmpty, problem } from './api-replies.ts';
import type { DurableEngine, StartRequest } from './engine.ts';
import { instanceLinks, type HubAddress } from './links.ts';
import { parsedText } from './status.ts';
import { isFinished, type InstanceStore } from './store.ts';

export interface StartsOptions {
  readonly engine: DurableEngine;
  readonly store: InstanceStore;
  readonly orchestrators: readonly string[];
  readonly hub: () => HubAddress;
  /** The answer for an instance that has ended otherwise than well. */
  readonly status: (instanceId: string, query: URLSearchParams) => Promise<Reply>;
}

export interface Starts {
  start(name: string, instanceId: string | undefined, query: URLSearchParams, body: string): Promise<Reply>;
  /** Starts an instance's orchestrator again with its input, under a new id unless told otherwise. */
  restart(instanceId: string, query: URLSearchParams): Promise<Reply>;
}

const badId = /^@|[/\\#?\p{Cc}]/u;
const longestId = 256;

/** Starts by HTTP, with or without waiting for the end (EXT HttpApiHandler). */
export function createStarts({ engine, store, orchestrators, hub, status }: StartsOptions): Starts {
  async function startAndAnswer(request: StartRequest, query: URLSearchParams): Promise<Reply> {
    const limits = waitLimits(query);
    if (limits !== undefined && limits.interval > limits.timeout) {
      return problem(400, 'The timeout must not be shorter than the pollingInterval.');
    }
    const { instanceId, existing } = await engine.start(request);
    if (existing !== undefined) {
      return problem(409, `An Orchestration instance with the status ${existing} already exists.`);
    }
    const ended = limits === undefined ? undefined : await endWithin(instanceId, limits, query);
    if (ended !== undefined) return ended;
    const links = instanceLinks(hub(), instanceId);
    return { status: 202, headers: { Location: links.statusQueryGetUri, 'Retry-After': '10' }, json: links };
  }

  async function endWithin(instanceId: string, limits: WaitLimits, query: URLSearchParams): Promise<Reply | undefined> {
    const deadline = performance.now() + limits.timeout;
    for (;;) {
      const head = await store.readHead(instanceId);
      if (head !== undefined && isFinished(head.status)) {
        return head.status === 'Completed' ? { status: 200, json: parsedText(head.output) } : status(instanceId, query);
      }
      const left = deadline - performance.now();
      if (left <= 0) return undefined;
      await wait(Math.min(limits.interval, left));
    }
  }

  return {
    async start(name, instanceId, query, body) {
      const known = orchestrators.find((candidate) => candidate.toLowerCase() === name.toLowerCase());
      if (known === undefined) {
        const list = orchestrators.map((candidate) => `'${candidate}'`).join(', ');
        return problem(
          400,
          `The function '${name}' doesn't exist, is disabled, or is not an orchestrator function. ` +
            `The following are the known orchestrator functions: ${list}.`,
        );
      }
      if (instanceId !== undefined && (badId.test(instanceId) || instanceId.length > longestId)) {
        return problem(400, `'${instanceId}' is not a valid instance id.`);
      }
      if (!isJsonOrEmpty(body)) return problem(400, 'The input is not JSON.');
      const version = query.get('version');
      return startAndAnswer(
        {
          name: known,
          ...(instanceId === undefined ? {} : { instanceId }),
          input: body === '' ? null : body,
          ...(version === null ? {} : { version }),
        },
        query,
      );
    },

    async restart(instanceId, query) {
      const head = await store.readHead(instanceId);
      if (head === undefined) return problem(400, 'InstanceId does not match a valid orchestration instance.');
      const underOldId = isFalse(query.get('restartWithNewInstanceId'));
      const request = { name: head.name, input: head.input };
      return startAndAnswer(underOldId ? { ...request, instanceId } : request, query);
    },
  };
}

/** Milliseconds. */
interface WaitLimits {
  readonly timeout: number;
  readonly interval: number;
}

/** The extension waits only when both are given; what is no number counts as not given. */
function waitLimits(query: URLSearchParams): WaitLimits | undefined {
  const [timeout, interval] = ['timeout', 'pollingInterval'].map((name) => {
    const text = query.get(name)?.trim() ?? '';
    const seconds = text === '' ? Number.NaN : Number(text);
    return Number.isFinite(seconds) && seconds >= 0 ? seconds * 1000 : undefined;
  });
  return timeout === undefined || interval === undefined ? undefined : { timeout, interval };
}
