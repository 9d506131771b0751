import { setImmediate as turn } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { processTurns } from '../../../shared/steps/process-turns.ts';

/** Turns whose works end when told; `running` names those that have begun and not ended. */
function turnsWorld() {
  const turns = processTurns();
  const running = new Set<string>();
  const ends = new Map<string, PromiseWithResolvers<void>>();
  const ask = (name: string) => {
    const end = Promise.withResolvers<void>();
    ends.set(name, end);
    return turns[name.startsWith('alone') ? 'alone' : 'beside'](async () => {
      running.add(name);
      try {
        await end.promise;
      } finally {
        running.delete(name);
      }
      return name;
    });
  };
  const now = async () => {
    await turn();
    return [...running];
  };
  return {
    ask,
    now,
    end: (name: string) => ends.get(name)?.resolve(),
    fail: (name: string) => ends.get(name)?.reject(new Error(name)),
  };
}

describe('turns in a process', () => {
  it('let many run side by side, and one alone after them and before those that came later', async () => {
    const { ask, now, end } = turnsWorld();
    const all = Promise.all(['a', 'b', 'alone', 'c', 'd', 'alone too', 'e'].map(ask));
    expect(await now()).toEqual(['a', 'b']);
    end('a');
    expect(await now()).toEqual(['b']);
    end('b');
    expect(await now()).toEqual(['alone']);
    end('alone');
    expect(await now()).toEqual(['c', 'd']);
    end('d');
    end('c');
    expect(await now()).toEqual(['alone too']);
    end('alone too');
    expect(await now()).toEqual(['e']);
    end('e');
    expect(await all).toEqual(['a', 'b', 'alone', 'c', 'd', 'alone too', 'e']);
  });

  it('go on after a fault, which is told to whoever asked', async () => {
    const { ask, now, fail, end } = turnsWorld();
    const faults = Promise.allSettled(['a', 'alone'].map(ask));
    const last = ask('b');
    await now();
    fail('a');
    await now();
    fail('alone');
    expect(await faults).toMatchObject([{ reason: { message: 'a' } }, { reason: { message: 'alone' } }]);
    expect(await now()).toEqual(['b']);
    end('b');
    expect(await last).toBe('b');
  });
});
