/** Lines of a build that are told again to those who come late. */
const LINES_KEPT = 2000;

/** Work that is done once for all who ask while it is under way; each is told all that it prints. */
export interface SharedBuilds<T> {
  join(key: string, print: (line: string) => void, run: (print: (line: string) => void) => Promise<T>): SharedBuild<T>;
  /** Ends when no work is under way. */
  idle(): Promise<void>;
}

export interface SharedBuild<T> {
  readonly done: Promise<T>;
  /** True for the last of those who asked to say that they need it no more. */
  leave(): boolean;
}

interface UnderWay<T> {
  readonly lines: string[];
  readonly printers: ((line: string) => void)[];
  askers: number;
  readonly done: Promise<T>;
}

export function sharedBuilds<T>(): SharedBuilds<T> {
  const underWay = new Map<string, UnderWay<T>>();

  function start(key: string, run: (print: (line: string) => void) => Promise<T>): UnderWay<T> {
    const lines: string[] = [];
    const printers: ((line: string) => void)[] = [];
    const printAll = (line: string): void => {
      if (lines.length < LINES_KEPT) lines.push(line);
      for (const print of printers) print(line);
    };
    const done = run(printAll).finally(() => underWay.delete(key));
    const work = { lines, printers, askers: 0, done };
    underWay.set(key, work);
    return work;
  }

  return {
    join(key, print, run) {
      const work = underWay.get(key) ?? start(key, run);
      work.askers++;
      for (const line of work.lines) print(line);
      work.printers.push(print);
      return { done: work.done, leave: () => --work.askers === 0 };
    },
    async idle() {
      await Promise.allSettled([...underWay.values()].map(({ done }) => done));
    },
  };
}
