/**
 * True when `name` fits `pattern`: `*` stands for any characters, `?` for one. Takes at most |name| x |pattern| steps,
 * because patterns come from users.
 */
export function matchesGlob(name: string, pattern: string): boolean {
  let at = 0;
  let star: { readonly pattern: number; name: number } | undefined;
  let i = 0;
  while (i < name.length) {
    const wanted = pattern[at];
    if (wanted === '*') {
      star = { pattern: at, name: i };
      at++;
    } else if (wanted !== undefined && (wanted === '?' || wanted === name[i])) {
      at++;
      i++;
    } else if (star) {
      // The last star takes one character more.
      star.name++;
      i = star.name;
      at = star.pattern + 1;
    } else {
      return false;
    }
  }
  return [...pattern.slice(at)].every((rest) => rest === '*');
}
