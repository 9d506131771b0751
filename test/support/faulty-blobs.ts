import { setTimeout as wait } from 'node:timers/promises';
import { type BlobRead, type Blobs, StorageFault } from '../../shared/storage/ports.ts';

type Operation = keyof Blobs;

/** What goes wrong. */
export type Fault =
  /** Storage answers this and does nothing. */
  | { readonly kind: 'refuse'; readonly status: number; readonly code: string }
  /** Storage does it, and the answer is lost on the way back. */
  | { readonly kind: 'loseAnswer' }
  /** No answer until the caller's signal aborts; for ever without one. */
  | { readonly kind: 'stall' }
  /** Only for `read`: the body breaks after so many bytes. */
  | { readonly kind: 'breakBody'; readonly afterBytes: number };

export interface FaultPlan {
  readonly operation: Operation;
  /** Which blobs (for `list` and `ensureContainer`: containers). Every one by default. */
  readonly name?: RegExp;
  /** The first matching call that goes wrong, counted from 1. Default 1. */
  readonly nth?: number;
  /** How many calls go wrong from there. Default 1. */
  readonly times?: number;
  readonly fault: Fault;
}

export interface FaultyBlobs extends Blobs {
  /** Plans that have not gone wrong yet: a test that ends with one did not test it. */
  unfired(): readonly FaultPlan[];
  /** Calls so far, whatever became of them. */
  calls(operation: Operation): number;
}

/** Blobs that fail as planned and are the given ones otherwise. */
export function withFaults(blobs: Blobs, plans: readonly FaultPlan[]): FaultyBlobs {
  const matches = new Map(plans.map((plan) => [plan, 0]));
  const calls = new Map<Operation, number>();

  const faultFor = (operation: Operation, name: string): Fault | undefined => {
    calls.set(operation, (calls.get(operation) ?? 0) + 1);
    let due: Fault | undefined;
    for (const plan of plans) {
      if (plan.operation !== operation || !(plan.name?.test(name) ?? true)) continue;
      const seen = (matches.get(plan) ?? 0) + 1;
      matches.set(plan, seen);
      const { nth = 1, times = 1 } = plan;
      if (seen >= nth && seen < nth + times) due ??= plan.fault;
    }
    return due;
  };

  const call = async <T>(
    operation: Operation,
    name: string,
    answer: () => Promise<T>,
    signal?: AbortSignal,
    breakBody: (answered: T, afterBytes: number) => T = unbreakable,
  ): Promise<T> => {
    const fault = faultFor(operation, name);
    switch (fault?.kind) {
      case undefined:
        return answer();
      case 'refuse':
        throw new StorageFault(`${operation} ${name}`, fault.status, fault.code, 'faulty');
      case 'stall':
        return stall(signal);
      case 'loseAnswer':
        await answer();
        throw new StorageFault(`${operation} ${name}`, 0, 'ECONNRESET');
      case 'breakBody':
        return breakBody(await answer(), fault.afterBytes);
    }
  };

  return {
    unfired: () => plans.filter((plan) => (matches.get(plan) ?? 0) < (plan.nth ?? 1)),
    calls: (operation) => calls.get(operation) ?? 0,
    head: (ref) => call('head', ref.name, () => blobs.head(ref)),
    read: (ref, options) =>
      call(
        'read',
        ref.name,
        () => blobs.read(ref, options),
        options?.signal,
        (answered, afterBytes) => {
          return answered && { ...answered, body: broken(answered.body, afterBytes, `read ${ref.name}`) };
        },
      ),
    write: (ref, body, options) => call('write', ref.name, () => blobs.write(ref, body, options), options?.signal),
    writeStream: (ref, body, options) =>
      call('writeStream', ref.name, () => blobs.writeStream(ref, body, options), options?.signal),
    async *list(container, options) {
      await call('list', container, async () => undefined, options?.signal);
      yield* blobs.list(container, options);
    },
    listPage: (container, options) =>
      call('list', container, () => blobs.listPage(container, options), options?.signal),
    stageBlock: (ref, blockId, body, options) =>
      call('stageBlock', ref.name, () => blobs.stageBlock(ref, blockId, body, options), options?.signal),
    commitBlocks: (ref, blockIds, options) =>
      call('commitBlocks', ref.name, () => blobs.commitBlocks(ref, blockIds, options)),
    remove: (ref, options) => call('remove', ref.name, () => blobs.remove(ref, options)),
    ensureContainer: (container) => call('ensureContainer', container, () => blobs.ensureContainer(container)),
  };
}

async function stall(signal?: AbortSignal): Promise<never> {
  // A timer of a day, so that a stalled call does not let the process end as if all were done.
  while (!signal?.aborted) await wait(86_400_000, undefined, { signal }).catch(() => signal?.throwIfAborted());
  throw signal.reason;
}

function unbreakable(): never {
  throw new Error('breakBody is a fault of read only');
}

async function* broken(body: BlobRead['body'], afterBytes: number, operation: string): BlobRead['body'] {
  let left = afterBytes;
  for await (const chunk of body) {
    if (chunk.length > left) {
      if (left > 0) yield chunk.subarray(0, left);
      break;
    }
    left -= chunk.length;
    yield chunk;
  }
  throw new StorageFault(operation, 0, 'ECONNRESET');
}
