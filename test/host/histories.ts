import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { format, resolveConfig } from 'prettier';
import { z } from 'zod';

const folder = fileURLToPath(new URL('../fixtures/histories', import.meta.url));

export const RecordedHistory = z.object({
  orchestration: z.string(),
  /** What the orchestration was given in the last turn of one execution. */
  turn: z.looseObject({ history: z.array(z.looseObject({ EventType: z.number() })) }),
  /** What it answered then. */
  state: z.object({
    isDone: z.boolean(),
    actions: z.array(z.looseObject({ actionType: z.number() })),
    output: z.string().nullable(),
    error: z.string().optional(),
    customStatus: z.string().optional(),
    threw: z.boolean(),
  }),
});
export type RecordedHistory = z.infer<typeof RecordedHistory>;

export interface StoredHistory extends RecordedHistory {
  readonly version: string;
  readonly file: string;
}

/** Every committed history of every version. */
export async function readHistories(): Promise<StoredHistory[]> {
  const entries = await readdir(folder, { recursive: true });
  return Promise.all(
    entries
      .filter((entry) => entry.endsWith('.json'))
      .sort()
      .map(async (file) => {
        const json: unknown = JSON.parse(await readFile(join(folder, file), 'utf8'));
        return { ...RecordedHistory.parse(json), version: file.split(/[/\\]/)[0] ?? '', file };
      }),
  );
}

/** Histories are named `<scenario>-<number>-<orchestration>`. */
const scenarioOf = (name: string): string => name.replace(/-\d+-\w+(\.json)?$/, '');

/**
 * Writes the histories of a version, by file name, for scenarios that have none of it: what has run is not rewritten. Throws when
 * all of them have.
 */
export async function writeHistories(version: string, recorded: ReadonlyMap<string, RecordedHistory>): Promise<void> {
  const target = join(folder, version);
  const stored = (await readHistories()).filter((history) => history.version === version);
  const known = new Set(stored.map(({ file }) => scenarioOf(basename(file))));
  const fresh = [...recorded].filter(([name]) => !known.has(scenarioOf(name)));
  if (fresh.length === 0)
    throw new Error(`${target} is whole: raise defaultVersion in host.json, or remove it if no job ever ran it.`);
  await mkdir(target, { recursive: true });
  const config = await resolveConfig(folder);
  for (const [name, each] of fresh) {
    await writeFile(join(target, `${name}.json`), await format(JSON.stringify(each), { ...config, parser: 'json' }));
  }
}
