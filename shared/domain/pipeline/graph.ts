/** A graph of steps: for each, the steps whose outputs it takes. */
export type Dependencies = ReadonlyMap<string, ReadonlySet<string>>;

/** The steps in an order in which each comes after those it takes from, or the steps on one cycle, in its direction. */
export function orderSteps(
  dependencies: Dependencies,
): { readonly order: readonly string[] } | { readonly cycle: readonly string[] } {
  const order: string[] = [];
  const done = new Set<string>();
  for (const start of dependencies.keys()) {
    // A stack of its own: a chain may be longer than the program's.
    const trail = new Map<string, Iterator<string>>();
    const enter = (step: string) => trail.set(step, (dependencies.get(step) ?? new Set<string>()).values());
    if (!done.has(start)) enter(start);
    for (let step: string | undefined = start; step !== undefined && trail.size > 0;) {
      const next: IteratorResult<string, unknown> | undefined = trail.get(step)?.next();
      if (next === undefined || next.done === true) {
        trail.delete(step);
        done.add(step);
        order.push(step);
        step = [...trail.keys()].at(-1);
        continue;
      }
      if (done.has(next.value)) continue;
      if (trail.has(next.value)) {
        const steps = [...trail.keys()];
        return { cycle: steps.slice(steps.indexOf(next.value)).reverse() };
      }
      step = next.value;
      enter(step);
    }
  }
  return { order };
}
