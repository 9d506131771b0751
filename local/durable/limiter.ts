/** Runs at most `limit` jobs at a time, first in, first out. A job handles its own errors. */
export function createLimiter(limit: number): (job: () => Promise<void>) => void {
  const waiting: (() => Promise<void>)[] = [];
  let head = 0;
  let running = 0;

  function next(): void {
    while (running < limit && head < waiting.length) {
      const job = waiting[head++];
      if (job === undefined) continue;
      running += 1;
      void job().finally(() => {
        running -= 1;
        next();
      });
    }
    // The queue is cut when half of it is spent: shift() for each job would make long queues quadratic.
    if (head * 2 >= waiting.length) {
      waiting.splice(0, head);
      head = 0;
    }
  }

  return (job) => {
    waiting.push(job);
    next();
  };
}
