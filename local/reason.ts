/** The first line of what storage said, with its code: its messages go on with ids and times, or are empty. */
export function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const code: unknown = Reflect.get(error, 'code');
  const first = error.message.split('\n', 1)[0] ?? '';
  if (typeof code !== 'string' || first.includes(code)) return first;
  return first === '' ? code : `${code}: ${first}`;
}
