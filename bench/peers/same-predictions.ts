/** One float32 is not rounded alike by two programs, and sums of trees are not added in one order. */
const TOLERANCE = 1e-4;

/** Throws, with the first line that differs, unless two tables of predictions (CSV) have the same rows and numbers. */
export function assertSamePredictions(ours: string, theirs: string, peer: string, tolerance = TOLERANCE): void {
  const [own, other] = [ours.trimEnd().split('\n'), theirs.trimEnd().split('\n')];
  if (own.length !== other.length) throw new Error(`${peer} has ${other.length - 1} rows, we have ${own.length - 1}`);
  for (const [index, line] of own.entries()) {
    const peers = other[index] ?? '';
    if (line !== peers && !sameCells(line.split(','), peers.split(','), tolerance))
      throw new Error(`${peer} differs in line ${index + 1}:\nours:   ${line}\ntheirs: ${peers}`);
  }
}

function sameCells(own: readonly string[], other: readonly string[], tolerance: number): boolean {
  return (
    own.length === other.length &&
    own.every((cell, column) => {
      const peers = other[column] ?? '';
      return cell === peers || (cell !== '' && peers !== '' && Math.abs(Number(cell) - Number(peers)) <= tolerance);
    })
  );
}
