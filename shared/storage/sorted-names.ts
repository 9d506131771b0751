import { byteOrder } from '../domain/byte-order.ts';

/** Names in byte order. Adding is cheap: what was added since is sorted in when somebody reads. */
export interface SortedNames {
  /** A name that was not there. */
  add(name: string): void;
  /** The names from `first` on, `first` included. */
  from(first: string): Iterable<string>;
}

export function sortedNames(): SortedNames {
  let sorted: string[] = [];
  let added: string[] = [];

  const settle = (): void => {
    if (added.length === 0) return;
    sorted = merged(sorted, added.sort(byteOrder));
    added = [];
  };

  return {
    add: (name) => void added.push(name),
    *from(first) {
      settle();
      const names = sorted;
      for (let at = firstNotBefore(names, first); at < names.length; at++) yield names[at] ?? first;
    },
  };
}

function merged(ones: readonly string[], others: readonly string[]): string[] {
  const all: string[] = [];
  let at = 0;
  for (const other of others) {
    for (let one = ones[at]; one !== undefined && byteOrder(one, other) < 0; one = ones[++at]) all.push(one);
    all.push(other);
  }
  for (; at < ones.length; at++) all.push(ones[at] ?? '');
  return all;
}

function firstNotBefore(names: readonly string[], first: string): number {
  let [low, high] = [0, names.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (byteOrder(names[middle] ?? '', first) < 0) low = middle + 1;
    else high = middle;
  }
  return low;
}
