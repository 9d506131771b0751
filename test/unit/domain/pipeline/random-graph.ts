/** Numbers in [0, 1) that follow from a seed (mulberry32). */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** For each step the steps that it takes from; without cycles it takes from earlier ones alone. */
export function randomGraph(
  random: () => number,
  { steps, cyclic }: { readonly steps: number; readonly cyclic: boolean },
): Map<string, Set<string>> {
  const names = Array.from({ length: steps }, (_, i) => `s${i}`);
  const density = random() * 0.4;
  return new Map(
    names.map((name, i) => [name, new Set(names.filter((_, j) => (cyclic || j < i) && random() < density))]),
  );
}
