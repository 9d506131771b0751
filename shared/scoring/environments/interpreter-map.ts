import { namesOf, type EnvironmentNeeds } from './needs.ts';

/**
 * The interpreter that the operator named for an environment, if any. Keys are an environment's label, name, `name:version` or
 * image, in any case; one that ends in `*` stands for all that begin so. The longest key wins.
 */
export function mappedInterpreter(
  map: Readonly<Record<string, string>>,
  needs: EnvironmentNeeds,
): { readonly key: string; readonly python: string } | undefined {
  const names = namesOf(needs).map((name) => name.toLowerCase());
  const fits = Object.entries(map).filter(([key]) => {
    const pattern = key.toLowerCase();
    return names.some((name) => (pattern.endsWith('*') ? name.startsWith(pattern.slice(0, -1)) : name === pattern));
  });
  const [best] = fits.sort(([a], [b]) => b.length - a.length);
  return best && { key: best[0], python: best[1] };
}
