import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect } from 'vitest';
import { Extensions } from '../../shared/domain/settings.ts';
import type { Blobs } from '../../shared/storage/ports.ts';
import { codeEngine, type CodeCall, type CodeResult } from './code-engine.ts';
import { jobWorld, type JobWorld } from './job-world.ts';

export type Run = (call: CodeCall) => Promise<CodeResult>;

export interface CodeWorlds {
  world(run: Run, options?: Parameters<typeof jobWorld>[0]): JobWorld;
}

/** Worlds whose jobs run a user's code. Whatever a job of a test did, nothing of it may stay on the disk. */
export function codeWorlds(): CodeWorlds {
  let folder = '';
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'code-job-'));
  });
  afterEach(async () => {
    const left = await readdir(folder);
    await rm(folder, { recursive: true });
    expect(left).toEqual([]);
  });
  return {
    world: (run, options = {}) => jobWorld({ engine: codeEngine(run), workFolder: folder, ...options }),
  };
}

/** Change of a job's spec. */
export const withExtensions = (change: Partial<Extensions>): { extensions: Extensions } => ({
  extensions: { ...Extensions.parse({}), ...change },
});

/** Storage whose blobs all say that they are packed. */
export const asGzip = (blobs: Blobs): Blobs => ({
  ...blobs,
  async listPage(container, options) {
    const page = await blobs.listPage(container, options);
    return { ...page, items: page.items.map((item) => ({ ...item, contentEncoding: 'gzip' })) };
  },
});

export const names = (files: CodeCall['files']): string[] => files.map(({ name }) => name);

/** The lines of the errors file. */
export async function errorsOf(world: JobWorld): Promise<unknown[]> {
  const text = (await world.text('out/predictions.csv.errors.jsonl')) ?? '';
  const lines = text.split('\n').filter((line) => line !== '');
  return lines.map((line): unknown => JSON.parse(line));
}
