import type { JobSpec } from '../../domain/job.ts';
import { keepNewest } from '../../domain/keep-newest.ts';
import { recentRows, type RecentRows } from '../recent-rows.ts';
import { inRow } from './documents.ts';

/** Rows, and specs, that a process remembers; each has at most some 8 KiB. */
const REMEMBERED = 1000;

/**
 * What a process remembers of jobs, so that it need not ask again for what it has just written: rows as it saw them last, which
 * only a conditional write proves to be the newest, and specs, which never change.
 */
export interface JobMemory {
  readonly rows: RecentRows;
  spec(name: string): JobSpec | undefined;
  noteSpec(spec: JobSpec): void;
}

export function jobMemory(): JobMemory {
  const specs = new Map<string, JobSpec>();
  return {
    rows: recentRows(REMEMBERED),
    spec: (name) => specs.get(name),
    noteSpec(spec) {
      if (inRow(spec) !== undefined) keepNewest(specs, spec.name, spec, REMEMBERED);
    },
  };
}
