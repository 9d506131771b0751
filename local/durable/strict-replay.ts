import type { FunctionRunner } from './runner.ts';

/**
 * A runner that replays every turn twice and tells where the two differ: code that reads a clock, a random number or
 * a variable of the process is found at its first episode, not when a host happens to restart.
 */
export function strictRunner(runner: FunctionRunner): FunctionRunner {
  return {
    ...runner,
    async runOrchestrator(name, turn) {
      const first = await runner.runOrchestrator(name, turn);
      const second = await runner.runOrchestrator(name, turn);
      const [before, after] = [JSON.stringify(first.state), JSON.stringify(second.state)];
      if (before === after) return first;
      const difference = `Non-Deterministic workflow detected: two replays of one turn differ: ${apart(before, after)}`;
      return { ...first, difference };
    },
  };
}

const excerptChars = 80;

/** The two texts from a little before they part. */
function apart(before: string, after: string): string {
  let at = 0;
  while (at < before.length && before[at] === after[at]) at += 1;
  const excerpt = (text: string): string => text.slice(Math.max(at - 20, 0), at + excerptChars);
  return `${excerpt(before)} and ${excerpt(after)}`;
}
