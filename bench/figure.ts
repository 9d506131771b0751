/** One measured figure and the bound that it must keep. */
export interface Figure {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  readonly target: { readonly atMost: number } | { readonly atLeast: number };
}

/** Prints figures as lines of JSON; tells at the end whether all targets were met. */
export function figures(): { add(figure: Figure): void; allHold(): boolean } {
  let missed = 0;
  return {
    add({ name, value, unit, target }) {
      const holds = 'atMost' in target ? value <= target.atMost : value >= target.atLeast;
      if (!holds) missed++;
      const bound = 'atMost' in target ? `<= ${target.atMost}` : `>= ${target.atLeast}`;
      process.stdout.write(
        `${JSON.stringify({ name, value: Math.round(value * 100) / 100, unit, target: bound, holds })}\n`,
      );
    },
    allHold: () => missed === 0,
  };
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const [low, high] = [sorted[sorted.length % 2 === 0 ? middle - 1 : middle], sorted[middle]];
  if (low === undefined || high === undefined) throw new Error('the median of nothing');
  return (low + high) / 2;
}
