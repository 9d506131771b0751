/** Who may score in this process: many slices side by side, or one that might kill the process, alone. */
export interface ProcessTurns {
  /** Runs beside others; waits while somebody is alone, or waits to be. */
  beside<T>(work: () => Promise<T>): Promise<T>;
  /** Runs with nobody beside, so that the death of the process is nobody else's. */
  alone<T>(work: () => Promise<T>): Promise<T>;
}

const nothing = (): void => undefined;

/** Turns in the order of asking, so that nobody waits for ever. */
export function processTurns(): ProcessTurns {
  /** Settles when the last one who was alone, or waits to be, is through. */
  let lastAlone: Promise<void> = Promise.resolve();
  /** Ends of those who came after it. */
  let besides = new Set<Promise<void>>();

  return {
    beside(work) {
      const turn = lastAlone.then(work);
      const group = besides;
      const end = turn.then(nothing, nothing).finally(() => group.delete(end));
      group.add(end);
      return turn;
    },
    alone(work) {
      const turn = Promise.all([lastAlone, ...besides]).then(work);
      besides = new Set();
      lastAlone = turn.then(nothing, nothing);
      return turn;
    },
  };
}
