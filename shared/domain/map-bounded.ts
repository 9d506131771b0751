/** Answers of `run` in the order of the items, at most `width` runs at a time. The first fault ends it; runs under way go on. */
export async function mapBounded<T, R>(items: readonly T[], width: number, run: (item: T) => Promise<R>): Promise<R[]> {
  const answers: R[] = [];
  const queue = items.entries();
  const worker = async (): Promise<void> => {
    for (const [index, item] of queue) answers[index] = await run(item);
  };
  await Promise.all(Array.from({ length: Math.min(width, items.length) }, worker));
  return answers;
}

/**
 * As `mapBounded`, for work on something that is thrown away when it fails: after the first fault no run begins, those under way
 * see their signal abort, and all have ended before the fault is thrown.
 */
export async function mapOrStop<T, R>(
  items: readonly T[],
  width: number,
  signal: AbortSignal,
  run: (item: T, signal: AbortSignal) => Promise<R>,
): Promise<R[]> {
  const answers: R[] = [];
  const stop = new AbortController();
  const either = AbortSignal.any([signal, stop.signal]);
  await mapBounded([...items.entries()], width, async ([index, item]) => {
    if (either.aborted) return;
    try {
      answers[index] = await run(item, either);
    } catch (error) {
      stop.abort(error);
    }
  });
  either.throwIfAborted();
  return answers;
}
