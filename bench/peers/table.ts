import { holds, type Figure } from '../figure.ts';

/** A target of the bench: a ratio of two sides, or, without a peer, a figure of ours alone. */
export interface Line {
  readonly figure: Figure;
  /** What ours is compared with. */
  readonly against: string;
  readonly ours: string;
  readonly peer?: string;
}

const TITLES = ['figure', 'against', 'ours', 'peer', 'ratio', 'target', 'holds'];

const rounded = (value: number): string => String(Math.round(value * 100) / 100);

/** The lines as a Markdown table, columns of one width. */
export function table(lines: readonly Line[]): string {
  const rows = [TITLES, TITLES.map(() => '---'), ...lines.map(cells)];
  const widths = TITLES.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  const padded = (row: readonly string[], filler: string): string =>
    `| ${row.map((cell, column) => cell.padEnd(widths[column] ?? 0, filler)).join(' | ')} |\n`;
  return rows.map((row, index) => padded(row, index === 1 ? '-' : ' ')).join('');
}

function cells({ figure, against, ours, peer }: Line): string[] {
  const { target, value, unit } = figure;
  const bound = 'atMost' in target ? `≤ ${rounded(target.atMost)}` : `≥ ${rounded(target.atLeast)}`;
  const [ratio, suffix] = peer === undefined ? ['', ` ${unit}`] : [rounded(value), ''];
  return [figure.name, against, ours, peer ?? '', ratio, bound + suffix, holds(figure) ? 'yes' : 'no'];
}
