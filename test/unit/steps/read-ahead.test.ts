import { setImmediate as turn } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import type { FileEngine } from '../../../shared/scoring/engine.ts';
import type { Blobs } from '../../../shared/storage/ports.ts';
import { withFaults, type Fault } from '../../support/faulty-blobs.ts';
import { jobWorld, numbered, numberedOutput, planned } from '../../support/job-world.ts';
import { lineEngine } from '../../support/line-engine.ts';

const AHEAD = 16;
const nameOf = (file: number): string => `in/f${String(file).padStart(3, '0')}.csv`;

/** A job world that tells which files were asked for, how many reads are open, and what happens when a file's turn comes. */
function watched({
  atTurn = () => Promise.resolve(),
  faulty = (blobs) => blobs,
  ...options
}: {
  atTurn?: (name: string) => Promise<void>;
  faulty?: (blobs: Blobs) => Blobs;
  clock?: { now(): number };
}) {
  const asked: string[] = [];
  let open = 0;
  async function* counted(body: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    yield* body;
    open--;
  }
  const lines = lineEngine();
  const world = jobWorld({
    ...options,
    faulty: (data) => {
      const blobs = faulty(data);
      return {
        ...blobs,
        async read(ref, readOptions) {
          asked.push(ref.name);
          open++;
          const found = await blobs.read(ref, readOptions).catch((error: unknown) => {
            open--;
            throw error;
          });
          return found && { ...found, body: counted(found.body) };
        },
      };
    },
    engine: {
      ...lines,
      async *score(...given: Parameters<FileEngine['score']>) {
        await atTurn(given[0].name);
        yield* lines.score(...given);
      },
    },
  });
  return { world, asked, open: () => open };
}

async function until(reached: () => boolean): Promise<void> {
  while (!reached()) await turn();
  // Whatever else would begin has begun by now.
  for (let i = 0; i < 20; i++) await turn();
}

describe('small files', () => {
  it.each([1, 2, 40])('of %i are read once each, and scored in order', async (count) => {
    const { world, asked, open } = watched({});
    await world.put(numbered(count));
    await world.accept('job', { miniBatchSize: 3 });
    expect((await world.run('job')).state).toBe('completed');
    expect(asked).toEqual(Array.from({ length: count }, (_, file) => nameOf(file)));
    expect(open()).toBe(0);
    expect(await world.text('out/predictions.csv')).toBe(numberedOutput(count));
  });

  it.each([1, 7, 100])('are read while another is scored, a bounded number, with %i in a mini-batch', async (size) => {
    let whileFirst: string[] = [];
    const { world, asked } = watched({
      async atTurn(name) {
        if (name !== 'f000.csv') return;
        await until(() => asked.length > AHEAD);
        whileFirst = [...asked];
      },
    });
    await world.put(numbered(40));
    await world.accept('job', { miniBatchSize: size });
    expect((await world.run('job')).state).toBe('completed');
    expect(whileFirst).toEqual(Array.from({ length: 1 + AHEAD }, (_, file) => nameOf(file)));
    expect(await world.text('out/predictions.csv')).toBe(numberedOutput(40));
  });

  it('are read beside a large one, which waits for its turn', async () => {
    const large = Object.fromEntries(
      Object.entries(numbered(3)).map(([name, text]) => [name, name === nameOf(1) ? text.padEnd(300_000, '\n') : text]),
    );
    const { world, asked } = watched({
      async atTurn(name) {
        if (name === 'f000.csv') await until(() => asked.length === 2);
      },
    });
    await world.put(large);
    await world.accept('job');
    expect((await world.run('job')).state).toBe('completed');
    expect(asked).toEqual([nameOf(0), nameOf(2), nameOf(1)]);
    expect(await world.text('out/predictions.csv')).toBe(numberedOutput(3));
  });

  it('are what they were when they were read, though they change before their turn', async () => {
    const { world, open } = watched({
      async atTurn(name) {
        if (name !== 'f000.csv') return;
        await until(() => open() === 0);
        await world.put({ [nameOf(1)]: 'another\n' });
      },
    });
    await world.put(numbered(3));
    await world.accept('job');
    expect(await world.run('job')).toMatchObject({ state: 'completed', failures: [] });
    expect(await world.text('out/predictions.csv')).toBe(numberedOutput(3));
  });

  it.each<Fault>([
    { kind: 'refuse', status: 503, code: 'ServerBusy' },
    { kind: 'breakBody', afterBytes: 1 },
    { kind: 'loseAnswer' },
  ])('are read in their turn when reading them ahead failed: %j', async (fault) => {
    const { world } = watched({
      faulty: (blobs) => withFaults(blobs, [{ operation: 'read', name: /f00[1-3]/, times: 3, fault }]),
    });
    await world.put(numbered(5));
    await world.accept('job', { miniBatchSize: 2, maxRetries: 1 });
    expect(await world.run('job')).toMatchObject({ state: 'completed', failures: [] });
    expect(await world.text('out/predictions.csv')).toBe(numberedOutput(5));
  });

  it('whose read hangs time out in their turn, and the next try asks again', async () => {
    const { world, asked, open } = watched({
      faulty: (blobs) =>
        withFaults(blobs, [{ operation: 'read', name: /f00[12]/, times: 2, fault: { kind: 'stall' } }]),
    });
    await world.put(numbered(4));
    await world.accept('job', { miniBatchSize: 2, maxRetries: 2, timeoutSeconds: 0.2 });
    expect(await world.run('job')).toMatchObject({ state: 'completed', failures: [] });
    expect(await world.text('out/predictions.csv')).toBe(numberedOutput(4));
    expect(asked.filter((name) => name === nameOf(1))).toHaveLength(2);
    expect(open()).toBe(0);
  });

  it('leave nothing open when the slice ends before their turn', async () => {
    const clock = { time: 0, now: () => clock.time };
    const { world, asked, open } = watched({
      clock,
      async atTurn() {
        clock.time += 60 * 60_000;
      },
      faulty: (blobs) => withFaults(blobs, [{ operation: 'read', name: /f002/, fault: { kind: 'stall' } }]),
    });
    await world.put(numbered(4));
    await world.accept('job');
    await planned(world, 'job');
    expect(await world.slice('job', 0)).toMatchObject({ position: 1 });
    expect(asked).toEqual([0, 1, 2, 3].map(nameOf));
    expect(open()).toBe(0);
  });
});
