/** Scores once; answers the seconds. */
export type Side = () => Promise<number>;

/**
 * The sides one after another, round after round, so that whatever else the machine does meets all of them. A first round warms
 * up and is not counted; `warm` runs after it. Answers the seconds of each side by round.
 */
export async function race(
  sides: ReadonlyMap<string, Side>,
  rounds: number,
  warm: () => Promise<void>,
  say: (line: string) => void,
): Promise<ReadonlyMap<string, readonly number[]>> {
  const seconds = new Map([...sides.keys()].map((name) => [name, new Array<number>()]));
  for (let round = 0; round <= rounds; round++) {
    for (const [name, side] of sides) {
      const taken = await side();
      say(`${round === 0 ? 'warm-up' : `round ${round} of ${rounds}`}: ${name} ${taken.toFixed(2)} s`);
      if (round > 0) seconds.get(name)?.push(taken);
    }
    if (round === 0) await warm();
  }
  return seconds;
}
