import { setImmediate as turn } from 'node:timers/promises';
import type { Engine } from '../../shared/scoring/engine.ts';
import { scoreSlice, type SliceAnswer } from '../../shared/steps/score-slice.ts';
import { codeEngine, namesAndContents } from './code-engine.ts';
import type { JobWorld } from './job-world.ts';
import { lineEngine } from './line-engine.ts';

export interface Mortal {
  readonly engine: Engine;
  readonly death: Promise<'died'>;
}

/**
 * An engine in a process of its own that dies when it meets a file, or the range of a file at a row, that kills: nothing of that
 * process ever answers again. What a test would wait for is the death.
 */
export function mortalEngine(kills: readonly string[]): Mortal {
  const engine = lineEngine();
  const death = Promise.withResolvers<'died'>();
  let dead = false;
  const mortal: Engine = {
    ...engine,
    async *score(file, options, signal) {
      const kill = kills.includes(file.part ? `${file.name}:${file.part.row}` : file.name);
      // Who kills is quick, so that it meets its neighbours in the middle of theirs.
      for (let i = 0; i < (kill ? 2 : 9); i++) await turn();
      if (kill && !dead) {
        dead = true;
        death.resolve('died');
      }
      if (dead) await new Promise<never>(() => undefined);
      yield* engine.score(file, options, signal);
    },
  };
  return { engine: mortal, death: death.promise };
}

/** The same, of an engine that runs a user's code. */
export function mortalCode(kills: readonly string[]): Mortal {
  const death = Promise.withResolvers<'died'>();
  const engine: Engine = codeEngine(async (call) => {
    if (!call.files.some(({ name }) => kills.includes(name))) return namesAndContents(call);
    death.resolve('died');
    return new Promise<never>(() => undefined);
  });
  return { engine, death: death.promise };
}

/** Runs a lane as the host does: a slice whose process died is delivered again, to a new process. */
export async function deliver(world: JobWorld, kills: readonly string[], mortal = mortalEngine, lane = 0) {
  let deaths = 0;
  let attempts = 0;
  let most = 0;
  for (let at: Pick<SliceAnswer, 'position' | 'receipt'> | undefined; ;) {
    const { engine, death } = mortal(kills);
    const process = world.process({ engine: async () => ({ engine, release() {} }) });
    const input = { job: 'job', lane, position: at?.position ?? null, receipt: at?.receipt ?? null };
    const answer = await Promise.race([scoreSlice(process, input), death]);
    attempts++;
    most = Math.max(most, attempts);
    if (answer === 'died') {
      deaths++;
      if (deaths > 30) throw new Error('it dies for ever');
      continue;
    }
    if (!answer.ok || answer.done)
      return { deaths, most, result: { ok: answer.ok, receipt: answer.receipt, reason: answer.reason } };
    at = answer;
    attempts = 0;
  }
}

/** The failure of a file at which its process died. */
export const died = (file: string, deaths: number) => ({
  file,
  code: 'ProcessDied',
  reason: `The process ended while it scored this file alone; its mini-batch was started ${deaths} times without an end.`,
  attempts: deaths,
});

/** An activity is tried five times. */
export const TRIES = 5;
