import { readFile } from 'node:fs/promises';
import { z } from 'zod';

/** The content of a file that a person wrote. Throws with the file's name; undefined when it may be absent and is. */
export async function readJson(file: string, options: { readonly mayBeAbsent: boolean }): Promise<unknown> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    const absent = error instanceof Error && 'code' in error && error.code === 'ENOENT';
    if (absent && options.mayBeAbsent) return undefined;
    throw new Error(
      absent ? `${file} does not exist: is this the root of a function app?` : `${file} cannot be read.`,
      {
        cause: error,
      },
    );
  }
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new Error(`${file} is not JSON.`, { cause: error });
  }
}

/** Throws with the file's name and the field's path. */
export function parseFile<T extends z.ZodType>(file: string, schema: T, json: unknown): z.infer<T> {
  const result = schema.safeParse(json);
  if (result.success) return result.data;
  throw new Error(`${file}: ${z.prettifyError(result.error)}`);
}
