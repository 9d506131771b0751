import { chmod, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ModelFault, TimedOut } from '../../../shared/scoring/engine.ts';
import { scoreSlice } from '../../../shared/steps/score-slice.ts';
import { namesAndContents } from '../../support/code-engine.ts';
import { codeWorlds, names } from '../../support/code-world.ts';
import { numbered, planned } from '../../support/job-world.ts';

const worlds = codeWorlds();

describe("a mini-batch of a user's code that fails", () => {
  it('is tried again with whole files and a folder of its own, and counts once', async () => {
    const tries: { contents: string[]; written: string[]; folder: string }[] = [];
    const world = worlds.world(async ({ files, outputFolder }) => {
      const contents = await Promise.all(files.map(({ path }) => readFile(path, 'utf8')));
      tries.push({ contents, written: await readdir(outputFolder), folder: outputFolder });
      await writeFile(join(outputFolder, 'rest'), 'of a try');
      const [first, second, third] = files.map(({ path }) => path);
      if (tries.length === 1 && first && second && third) {
        await chmod(first, 0o644);
        await writeFile(first, 'another content');
        await rm(second);
        await rm(third);
        await mkdir(third);
        throw new Error('run() raised: ValueError');
      }
      return { rows: contents.map((text) => text.trim()) };
    });
    await world.put(numbered(4));
    await world.accept('job', { miniBatchSize: 4 });
    expect(await world.run('job')).toMatchObject({ state: 'completed', totals: { filesDone: 4, rows: 4 } });
    const contents = ['v0\n', 'v1\n', 'v2\n', 'v3\n'];
    expect(tries).toMatchObject([
      { contents, written: [] },
      { contents, written: [] },
    ]);
    expect(tries[0]?.folder).not.toBe(tries[1]?.folder);
    expect(await world.text('out/predictions.csv')).toBe('prediction\nv0\nv1\nv2\nv3\n');
  });

  it('is taken apart after the last try, so that only the bad files fail', async () => {
    const seen: string[][] = [];
    const world = worlds.world(async (call) => {
      seen.push(names(call.files));
      if (names(call.files).includes('f001.csv')) throw new Error('ValueError: bad picture');
      if (names(call.files).includes('f003.csv')) throw new TimedOut(30);
      return namesAndContents(call);
    });
    await world.put(numbered(4));
    await world.accept('job', { miniBatchSize: 4, maxRetries: 2 });
    expect(await world.run('job')).toMatchObject({
      state: 'completed',
      totals: { filesDone: 2, filesFailed: 2, rows: 2 },
      failures: [
        { file: 'f001.csv', code: 'ScoringFailed', reason: 'ValueError: bad picture', attempts: 3 },
        { file: 'f003.csv', code: 'Timeout', attempts: 3 },
      ],
    });
    const all = ['f000.csv', 'f001.csv', 'f002.csv', 'f003.csv'];
    expect(seen).toEqual([all, all, ...all.map((name) => [name])]);
  });

  it('because its code cannot start fails the job at once, whatever was scored before', async () => {
    let calls = 0;
    const world = worlds.world(async (call) => {
      if (++calls === 2) throw new ModelFault("score.py: init() raised KeyError: 'weights'");
      return namesAndContents(call);
    });
    await world.put(numbered(5));
    await world.accept('job', { miniBatchSize: 2 });
    expect(await world.run('job')).toMatchObject({
      state: 'failed',
      reason: { code: 'ScriptFailed', message: "score.py: init() raised KeyError: 'weights'" },
      totals: { filesDone: 2, filesFailed: 0, rows: 2 },
    });
    expect(calls).toBe(2);
    expect(await world.text('out/predictions.csv')).toBeUndefined();
  });

  it('because there is no such engine fails the job at once', async () => {
    const world = worlds.world(namesAndContents);
    await world.put(numbered(1));
    await world.accept('job', {}, { code: { name: 'c', version: '1', script: 'score.py' } });
    await planned(world, 'job');
    let loads = 0;
    const deps = world.process({
      engine: async () => {
        loads++;
        throw new ModelFault('score.py has no run().');
      },
    });
    const slice = { job: 'job', lane: 0, position: null, receipt: null };
    const reason = { code: 'ScriptFailed', message: 'score.py has no run().' };
    expect(await scoreSlice(deps, slice)).toEqual({ ok: false, done: false, position: 0, receipt: null, reason });
    expect(await scoreSlice(deps, slice)).toMatchObject({ ok: false, reason });
    expect(loads).toBe(1);
  });

  it('when storage breaks off is downloaded again', async () => {
    let reads = 0;
    const world = worlds.world(namesAndContents, {
      faulty: (blobs) => ({
        ...blobs,
        read: async (ref, options) => {
          const found = await blobs.read(ref, options);
          if (!found || ref.name !== 'in/f001.csv' || ++reads > 1) return found;
          return { ...found, body: broken() };
        },
      }),
    });
    await world.put(numbered(2));
    await world.accept('job', { miniBatchSize: 2 });
    expect(await world.run('job')).toMatchObject({ state: 'completed', totals: { filesDone: 2, rows: 2 } });
    expect(reads).toBe(2);
  });
});

async function* broken(): AsyncGenerator<Uint8Array> {
  yield new Uint8Array(1);
  throw new Error('the line is gone');
}
