/** Everything that a stream gives, in order. */
export async function gather<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}

/** The bytes of a body as text. */
export const textOf = async (body: AsyncIterable<Uint8Array>): Promise<string> =>
  Buffer.concat(await gather(body)).toString();
