/** When calls of this process waited because storage turned them away. */
export interface BusyTimes {
  /** Milliseconds since `from` (milliseconds since 1970) in which at least one call waited. */
  since(from: number): number;
  /** A call begins to wait; it ends its wait with what is answered, once. */
  begin(): () => void;
}

/** Times that lie further back are forgotten: no activity and no sweep looks so far. */
const REMEMBERED_MS = 2 * 60 * 60_000;

/** Waits shorter than this are everyday. */
const WORTH_SAYING_MS = 5_000;

interface Waited {
  readonly from: number;
  readonly to: number;
}

/** One for all adapters of a process. `say` is told once of a time that lasts, and once of its end, with its seconds. */
export function busyTimes(say: { began(): void; ended(seconds: number): void }): BusyTimes {
  let past: Waited[] = [];
  let waiting = 0;
  let began = 0;
  let told = false;
  let telling: NodeJS.Timeout | undefined;

  const end = (): void => {
    waiting--;
    if (waiting > 0) return;
    const now = Date.now();
    clearTimeout(telling);
    past = [...past.filter(({ to }) => now - to < REMEMBERED_MS), { from: began, to: now }];
    if (told) say.ended(Math.round((now - began) / 1000));
    told = false;
  };

  return {
    since(from) {
      const current = waiting > 0 ? [{ from: began, to: Date.now() }] : [];
      return [...past, ...current].reduce((sum, one) => sum + Math.max(0, one.to - Math.max(from, one.from)), 0);
    },
    begin() {
      if (waiting === 0) {
        began = Date.now();
        telling = setTimeout(() => {
          told = true;
          say.began();
        }, WORTH_SAYING_MS).unref();
      }
      waiting++;
      return end;
    },
  };
}
