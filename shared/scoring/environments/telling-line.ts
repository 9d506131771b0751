/**
 * What uv says of a failure in one line: the cause where packages do not fit together, else the error and what stands behind
 * it: the last line that a build printed, or the first cause. Undefined when uv said nothing that looks like an error.
 */
export function tellingLine(lines: readonly string[]): string | undefined {
  const texts = lines.map((line) => line.trim());
  const start = texts.findLastIndex((text) => text.startsWith('error:'));
  if (start === -1) return undefined;
  const end = texts.findIndex((text, index) => index > start && text.startsWith('hint:'));
  const block = texts.slice(start, end === -1 ? undefined : end).filter((text) => text !== '');
  const error = (block[0] ?? '').slice('error:'.length).trim();
  const cause = block
    .find((text) => text.startsWith('cause:'))
    ?.slice('cause:'.length)
    .trim();
  if (cause === undefined) return error;
  if (error.startsWith('No solution found')) return cause;
  const printed = block.includes('[stderr]') || block.includes('[stdout]') ? block.at(-1) : undefined;
  return `${error}: ${printed ?? cause}`;
}
