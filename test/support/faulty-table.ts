import type { TableClient } from '@azure/data-tables';

export type TableWrite = 'submitTransaction' | 'createEntity' | 'upsertEntity';

export interface FaultyTable {
  readonly client: TableClient;
  /** Lets the next write of a kind pass `skipped` times and then fail once, before or after it is done. */
  fail(write: TableWrite, moment: 'before' | 'after', skipped?: number): void;
}

/** A table whose writes can be made to fail, as a broken connection does. */
export function faultyTable(real: TableClient): FaultyTable {
  let fault: { write: string; moment: 'before' | 'after'; skipped: number } | undefined;
  const client = new Proxy(real, {
    get(target, name) {
      const member: unknown = Reflect.get(target, name);
      if (typeof member !== 'function') return member;
      return (...args: unknown[]): unknown => {
        const call = (): unknown => Reflect.apply(member, target, args);
        if (fault?.write !== name) return call();
        if (fault.skipped > 0) {
          fault.skipped -= 1;
          return call();
        }
        const { moment } = fault;
        fault = undefined;
        return (async () => {
          if (moment === 'after') await call();
          throw new Error(`a connection broken ${moment} ${name}`);
        })();
      };
    },
  });
  return {
    client,
    fail(write, moment, skipped = 0) {
      fault = { write, moment, skipped };
    },
  };
}
