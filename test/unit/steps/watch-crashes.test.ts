import { describe, expect, it } from 'vitest';
import { crashes, type When } from '../../support/crashes.ts';
import { watchWorld } from '../../support/watch-world.ts';

/** Two blobs, then the process may die, then a third comes, and everything is told again. */
async function play(at: number, when: When) {
  const crash = crashes();
  const world = await watchWorld(crash);
  await world.watch({ prefix: 'in', maxWaitSeconds: 5 });
  const first = [await world.upload('in/a.csv', 'a'), await world.upload('in/b.csv', 'b')];
  crash.arm(at, when);
  await world.tell(...first);
  for (let second = 0; second < 8; second++) {
    await world.serve();
    world.clock.time += 1000;
  }
  const writes = crash.writes();
  crash.arm(Infinity, when);
  await world.tell(await world.upload('in/c.csv', 'c'), ...first);
  await world.settle();
  return { writes, rows: await world.scored(), poison: world.queues.take('blob-flush-poison') };
}

const ROWS = ['a.csv,0,a', 'b.csv,0,b', 'c.csv,0,c'];

describe('a process that dies or fails', () => {
  it('has a number of writes at which it may', async () => {
    const { writes, rows } = await play(Infinity, 'dies before');
    expect(rows).toEqual(ROWS);
    expect(writes).toBeGreaterThanOrEqual(15);
  });

  it.each<When>(['dies before', 'dies after', 'fails before', 'fails after'])(
    'scores every blob once when it %s a write',
    async (when) => {
      const { writes } = await play(Infinity, when);
      for (let at = 1; at <= writes; at++) {
        const { rows, poison } = await play(at, when);
        expect({ at, rows, poison }).toEqual({ at, rows: ROWS, poison: [] });
      }
    },
  );
});
