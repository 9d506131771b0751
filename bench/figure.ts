/** What a figure must keep. */
export type Bound = { readonly atMost: number } | { readonly atLeast: number };

/** One measured figure and the bound that it must keep. */
export interface Figure {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  readonly target: Bound;
}

export const holds = ({ value, target }: Figure): boolean =>
  'atMost' in target ? value <= target.atMost : value >= target.atLeast;

/** Prints figures as lines of JSON; tells at the end whether all targets were met. */
export function figures(): { add(figure: Figure): void; allHold(): boolean } {
  let missed = 0;
  return {
    add(figure) {
      const { name, value, unit, target } = figure;
      if (!holds(figure)) missed++;
      const bound = 'atMost' in target ? `<= ${target.atMost}` : `>= ${target.atLeast}`;
      process.stdout.write(
        `${JSON.stringify({ name, value: Math.round(value * 100) / 100, unit, target: bound, holds: holds(figure) })}\n`,
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
