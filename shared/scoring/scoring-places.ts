import { places } from './places.ts';

/** Who scores a file and could use more than its own place. */
export interface Borrower {
  /** One more place is the borrower's, until it says `returned`. */
  lend(): void;
  /** Somebody waits for one of its lent places. */
  recall(): void;
}

export interface Loan {
  /** A lent place is free again. */
  returned(): void;
  /** No more are wanted; those that are lent come back by `returned`. */
  end(): void;
}

/** How many threads score at the same time in this process, whatever they score. */
export interface ScoringPlaces {
  /** A place for a file, in the order of asking. Rejects with the signal's reason when it aborts first. */
  take(signal: AbortSignal): Promise<void>;
  free(): void;
  /** Gets places as long as nobody waits for them. */
  borrow(borrower: Borrower): Loan;
}

/** A place that was just freed is mostly asked for again at once, by the next file of the same lane. */
const LEND_AFTER_MS = 25;

interface Lent {
  places: number;
  recalled: number;
  wanted: boolean;
}

/** `count` places. Those that no file takes are lent evenly to the files under way, and recalled when a file asks. */
export function scoringPlaces(count: number): ScoringPlaces {
  if (!Number.isInteger(count) || count < 1) throw new RangeError(`There must be at least 1 place, got ${count}.`);
  const turns = places(count);
  const borrowers = new Map<Borrower, Lent>();
  let offering: NodeJS.Timeout | undefined;

  function offer(): void {
    offering = undefined;
    for (;;) {
      const open = [...borrowers].filter(([, lent]) => lent.wanted);
      const next = open.reduce<(typeof open)[number] | undefined>(
        (least, one) => (least === undefined || one[1].places < least[1].places ? one : least),
        undefined,
      );
      if (next === undefined || !turns.takeFree()) return;
      next[1].places++;
      next[0].lend();
    }
  }

  /** As many places are on their way back as files wait, if so many are lent. */
  function recall(): void {
    const all = [...borrowers];
    let missing = turns.waiting - all.reduce((sum, [, { recalled }]) => sum + recalled, 0);
    for (; missing > 0; missing--) {
      const [most] = all.sort(([, a], [, b]) => b.places - b.recalled - (a.places - a.recalled));
      if (most === undefined || most[1].places === most[1].recalled) return;
      most[1].recalled++;
      most[0].recall();
    }
  }

  function free(): void {
    turns.free();
    if (borrowers.size > 0) offering ??= setTimeout(offer, LEND_AFTER_MS).unref();
  }

  return {
    async take(signal) {
      const turn = turns.take(signal);
      recall();
      await turn;
    },
    free,
    borrow(borrower) {
      const lent: Lent = { places: 0, recalled: 0, wanted: true };
      const forget = () => {
        if (!lent.wanted && lent.places === 0) borrowers.delete(borrower);
      };
      borrowers.set(borrower, lent);
      offer();
      return {
        returned() {
          lent.places--;
          lent.recalled = Math.max(0, lent.recalled - 1);
          forget();
          free();
        },
        end() {
          lent.wanted = false;
          forget();
        },
      };
    },
  };
}
