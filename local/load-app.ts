import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { glob } from 'tinyglobby';
import { z } from 'zod';
import { parseFile, readJson } from './json-file.ts';

const packageJson = z.looseObject({ main: z.string().min(1).optional() });

/** A file of the app that could not be loaded; the cause is the app's own. */
export class AppFault extends Error {}

/**
 * Imports the app's entry files: package.json's "main", a glob relative to the app's root. Throws with the real
 * worker's kind of text when nothing matches, and AppFault when a file fails to load.
 */
export async function loadApp(root: string): Promise<void> {
  const file = join(root, 'package.json');
  const { main } = parseFile(file, packageJson, await readJson(file, { mayBeAbsent: false }));
  if (main === undefined) throw new Error(`${file} has no "main": no functions can be found.`);
  const entries = await glob(main, { cwd: root, absolute: true, expandDirectories: false });
  if (entries.length === 0) {
    throw new Error(`Found zero files matching the pattern "${main}" of ${file} "main": build the app, or correct it.`);
  }
  // The order is not a contract; sorting only makes the listing stable.
  for (const entry of entries.sort()) {
    try {
      await import(pathToFileURL(entry).href);
    } catch (error) {
      throw new AppFault(`The entry point "${entry}" could not be loaded.`, { cause: error });
    }
  }
}
