/** Puts an entry behind the others of a map and forgets the oldest beyond `limit`. */
export function keepNewest<K, V>(entries: Map<K, V>, key: K, value: V, limit: number): void {
  entries.delete(key);
  entries.set(key, value);
  for (const oldest of entries.keys()) {
    if (entries.size <= limit) break;
    entries.delete(oldest);
  }
}

/** The same by what the entries weigh; the newest one stays, however heavy it is. */
export function keepWithin<K, V>(
  entries: Map<K, V>,
  key: K,
  value: V,
  limit: number,
  weigh: (value: V) => number,
): void {
  entries.delete(key);
  entries.set(key, value);
  let weight = [...entries.values()].reduce((sum, each) => sum + weigh(each), 0);
  for (const [oldest, each] of entries) {
    if (weight <= limit || oldest === key) break;
    entries.delete(oldest);
    weight -= weigh(each);
  }
}
