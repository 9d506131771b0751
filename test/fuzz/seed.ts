import { randomInt } from 'node:crypto';

/** FUZZ_SEED, or one of its own, which is printed: with it a run is repeated. */
export function fuzzSeed(): number {
  const given = process.env['FUZZ_SEED'];
  const seed = given === undefined ? randomInt(2 ** 31 - 1) : Number(given);
  if (!Number.isInteger(seed)) throw new Error(`FUZZ_SEED is a whole number, not '${given}'.`);
  console.log(`FUZZ_SEED=${seed} npm run test:fuzz repeats this run.`);
  return seed;
}
