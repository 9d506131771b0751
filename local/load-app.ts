import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { glob } from 'tinyglobby';
import { z } from 'zod';

const packageJson = z.looseObject({ main: z.string().min(1).optional() });

/**
 * Imports the app's entry files: package.json's "main", a glob relative to the app's root. Throws with the real
 * worker's kind of text when nothing matches or a file fails to load.
 */
export async function loadApp(root: string): Promise<void> {
  const { main } = packageJson.parse(JSON.parse(await readFile(join(root, 'package.json'), 'utf8')));
  if (main === undefined) throw new Error(`${join(root, 'package.json')} has no "main": no functions can be found.`);
  const files = await glob(main, { cwd: root, absolute: true, expandDirectories: false });
  if (files.length === 0) throw new Error(`Found zero files matching the pattern "${main}" of package.json "main".`);
  // The order is not a contract; sorting only makes the listing stable.
  for (const file of files.sort()) {
    try {
      await import(pathToFileURL(file).href);
    } catch (error) {
      throw new Error(`The entry point "${file}" could not be loaded.`, { cause: error });
    }
  }
}
