/** Runs once for each first argument, however many ask at once; an answer is kept and a failure is not. */
export function rememberSuccess<A extends readonly unknown[], T>(
  run: (key: string, ...rest: A) => Promise<T>,
): (key: string, ...rest: A) => Promise<T> {
  const known = new Map<string, Promise<T>>();
  return (key, ...rest) => {
    const before = known.get(key);
    if (before) return before;
    const answer = run(key, ...rest).catch((error: unknown) => {
      known.delete(key);
      throw error;
    });
    known.set(key, answer);
    return answer;
  };
}
