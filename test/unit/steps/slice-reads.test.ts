import { describe, expect, it } from 'vitest';
import type { FileEngine } from '../../../shared/scoring/engine.ts';
import { codeEngine, namesAndContents } from '../../support/code-engine.ts';
import { codeWorlds } from '../../support/code-world.ts';
import { jobWorld, numbered, planned, type JobWorld } from '../../support/job-world.ts';
import { lineEngine } from '../../support/line-engine.ts';

const SLICE_MS = 350;
const FILES = 12;
const worlds = codeWorlds();

/** A world whose mini-batches of one file take so long, by its clock; `reads` are the input's, in their order. */
type Timed = (tookMs: (file: number) => number) => { world: JobWorld; reads: readonly string[] };

function watched(tookMs: (file: number) => number) {
  const clock = { time: Date.parse('2026-01-01T00:00:00Z'), now: () => clock.time };
  const reads: string[] = [];
  let scored = 0;
  const options: Parameters<typeof jobWorld>[0] = {
    clock,
    sliceMs: SLICE_MS,
    faulty: (blobs) => ({
      ...blobs,
      async read(ref, read) {
        reads.push(ref.name);
        return blobs.read(ref, read);
      },
    }),
  };
  return { options, reads, pass: () => (clock.time += tookMs(scored++)) };
}

const ofCode: Timed = (tookMs) => {
  const { options, reads, pass } = watched(tookMs);
  const engine = codeEngine(async (call) => {
    const rows = await namesAndContents(call);
    pass();
    return rows;
  });
  return { world: worlds.world(namesAndContents, { ...options, engine }), reads };
};

const ofModel: Timed = (tookMs) => {
  const { options, reads, pass } = watched(tookMs);
  const lines = lineEngine();
  async function* score(...given: Parameters<FileEngine['score']>) {
    yield* lines.score(...given);
    pass();
  }
  return { world: jobWorld({ ...options, engine: { ...lines, score } }), reads };
};

/** Scores a job of mini-batches of one file; answers where its slices ended and the files that were read more than once. */
async function scored({ world, reads }: ReturnType<Timed>) {
  await world.put(numbered(FILES));
  await world.accept('job');
  await planned(world, 'job');
  const ends: number[] = [];
  let at: { position: number; receipt: string | null } | undefined;
  for (let done = false; !done;) {
    const answer = await world.slice('job', 0, at);
    ends.push(answer.position);
    done = answer.done;
    at = answer;
  }
  return { ends, again: reads.filter((name, index) => reads.indexOf(name) < index).map((name) => name.slice(3)) };
}

describe("a user's code's files", () => {
  it('are downloaded once each, however many slices score them', async () => {
    expect(await scored(ofCode(() => 100))).toEqual({ ends: [4, 8, 12], again: [] });
  });

  it('are downloaded once when a mini-batch takes longer than was expected: the slice scores one more', async () => {
    expect(await scored(ofCode((file) => (file === 2 ? 300 : 100)))).toEqual({ ends: [4, 8, 12], again: [] });
  });

  it('are downloaded again when mini-batches turn out to take more than two slices, and then no more', async () => {
    const ends = Array.from({ length: FILES }, (_, file) => file + 1);
    expect(await scored(ofCode(() => 1000))).toEqual({ ends, again: ['f001.csv', 'f002.csv'] });
  });
});

describe('files that are scored one by one', () => {
  it('are read ahead no further than the slice will come, once it is known how long they take', async () => {
    // The first slice looks as far ahead as it may.
    const again = [4, 5, 6, 7, 8, 9, 10, 11].map((file) => `f${String(file).padStart(3, '0')}.csv`);
    expect(await scored(ofModel(() => 100))).toEqual({ ends: [4, 8, 12], again });
  });
});
