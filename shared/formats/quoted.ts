/** A name or value of the user for a message: in quotes, and never longer than 40 characters. */
export function quoted(text: string): string {
  return `'${text.length > 40 ? `${text.slice(0, 40)}…` : text}'`;
}
