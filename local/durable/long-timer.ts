/** setTimeout fires at once beyond this (2^31 - 1 ms, 24.8 days). */
const longest = 2 ** 31 - 1;

/** Calls back once the clock has reached `fireAt` (ms since 1970), however far away. Returns the cancellation. */
export function startLongTimer(fireAt: number, onFire: () => void): () => void {
  let handle: NodeJS.Timeout;
  const arm = (): void => {
    const left = fireAt - Date.now();
    // A timeout may end a millisecond early by the wall clock: look again before it counts.
    if (left <= 0) onFire();
    else handle = setTimeout(arm, Math.min(left, longest));
  };
  handle = setTimeout(arm, Math.min(Math.max(fireAt - Date.now(), 0), longest));
  return () => clearTimeout(handle);
}
