import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { PROJECT } from '../../../../cli/stack.ts';

const Captured = z.array(
  z.object({
    path: z.string(),
    body: z.object({ properties: z.record(z.string(), z.unknown()) }),
  }),
);

export const WORKSPACE =
  '/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/batchpoint/providers/Microsoft.MachineLearningServices/workspaces/batchpoint';

/** What the client put for one of test/fixtures/pipelines, in its order. */
export const captured = (name: string): z.infer<typeof Captured> =>
  Captured.parse(JSON.parse(readFileSync(join(PROJECT, 'test/fixtures/pipelines', `${name}.json`), 'utf8')));

/** The last thing that the client put: what the fixture is named after. */
export function body(name: string) {
  const last = captured(name).at(-1);
  if (last === undefined) throw new Error(`${name} is empty`);
  return last.body;
}
