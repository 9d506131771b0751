import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import type { Workspace } from './client.ts';

const Sample = z.object({ Values: z.looseObject({ BATCHPOINT_WORKSPACE: z.string() }) });
const WorkspaceSetting = z.object({ subscriptionId: z.string(), resourceGroup: z.string(), workspace: z.string() });

/** The workspace that a locally started app plays: the environment's, else that of the settings file. */
export async function localWorkspace(project: string): Promise<Workspace> {
  const text =
    process.env['BATCHPOINT_WORKSPACE'] ??
    Sample.parse(JSON.parse(await readFile(join(project, 'local.settings.json'), 'utf8'))).Values.BATCHPOINT_WORKSPACE;
  return WorkspaceSetting.parse(JSON.parse(text));
}
