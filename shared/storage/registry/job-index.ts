import { z } from 'zod';
import { JobSpec } from '../../domain/job.ts';
import { PipelineSummary, type PipelineSpec } from '../../domain/pipeline/pipeline-job.ts';
import { changeRow } from '../change-row.ts';
import type { Table, TableKey, TableRow, TableValues } from '../ports.ts';
import { inRow } from './documents.ts';
import type { IndexedJob, JobFilter, JobPage } from './jobs-port.ts';

/** Far enough ahead that a job's key shrinks as time goes on: row key order is newest first. */
const LAST_MOMENT = 9e15;

/** The oldest month that a list looks into. */
const FIRST_MONTH = '202601';

/** Jobs of one endpoint, or of all. */
const partitionOf = (endpoint: string | undefined, month: string): string =>
  endpoint === undefined ? `jobs-of-all|${month}` : `jobs-of|${endpoint.toLowerCase()}|${month}`;

const monthOf = (iso: string): string => iso.slice(0, 7).replace('-', '');

/** What the index knows of a job; one that was submitted directly belongs to no endpoint. */
export interface IndexedSpec {
  readonly name: string;
  readonly endpoint: string | null;
  readonly deployment: string | null;
  readonly createdAt: string;
}

const keyIn = (spec: IndexedSpec, endpoint: string | undefined): TableKey => {
  const newestFirst = String(LAST_MOMENT - Date.parse(spec.createdAt)).padStart(16, '0');
  return { partition: partitionOf(endpoint, monthOf(spec.createdAt)), row: `${newestFirst}_${spec.name}` };
};

/** What is indexed: a copy of the spec, so that a list need not read it. A pipeline's steps are not listed. */
type Indexed =
  { readonly kind: 'scoring'; readonly spec: JobSpec } | { readonly kind: 'pipeline'; readonly spec: PipelineSpec };

/** The index rows of a job: partitions by month, of its endpoint and of all; rows newest first (S3.4). */
export function indexRows({ kind, spec }: Indexed): { key: TableKey; values: TableValues }[] {
  const document = inRow(kind === 'scoring' ? spec : PipelineSummary.parse(spec));
  const values = {
    name: spec.name,
    kind,
    ...(document !== undefined && { document }),
    ...(spec.deployment !== null && { deployment: spec.deployment }),
  };
  const ofAll = { key: keyIn(spec, undefined), values };
  return spec.endpoint === null ? [ofAll] : [{ key: keyIn(spec, spec.endpoint), values }, ofAll];
}

/**
 * Notes in the index of all jobs whether one is archived, so that lists pass over it without reading it. `isArchivedNow` is asked
 * after the row was read: of two who change it at once, the one that writes last has seen both changes.
 */
export const indexArchived = (table: Table, spec: IndexedSpec, isArchivedNow: () => Promise<boolean>): Promise<void> =>
  changeRow(table, keyIn(spec, undefined), async (row) => {
    const archived = await isArchivedNow();
    return row && isArchived(row) !== archived ? { ...row.values, archived } : undefined;
  });

const isArchived = (row: TableRow): boolean => row.values['archived'] === true;

/** Where the next page begins: a month and a row in it. */
const Cursor = z.object({ month: z.string().regex(/^\d{6}$/), after: z.string().optional() });

function indexedJob({ values }: TableRow): IndexedJob {
  const name = z.string().parse(values['name']);
  const document = values['document'];
  const spec: unknown = typeof document === 'string' ? JSON.parse(document) : undefined;
  switch (values['kind']) {
    case 'scoring':
      return { name, kind: 'scoring', ...(spec !== undefined && { spec: JobSpec.parse(spec) }) };
    case 'pipeline':
      return { name, kind: 'pipeline', ...(spec !== undefined && { spec: PipelineSummary.parse(spec) }) };
    default:
      return { name };
  }
}

/** Pages through the months, newest first; a page has `limit` jobs unless the list ends. */
export async function listIndex(
  table: Table,
  filter: JobFilter,
  limit: number,
  continuation?: string,
): Promise<JobPage> {
  const start =
    continuation === undefined ? { month: monthOf(new Date().toISOString()) } : Cursor.parse(JSON.parse(continuation));
  const jobs: IndexedJob[] = [];
  const wanted = filter.deployment?.toLowerCase();
  const fits = (row: TableRow): boolean =>
    (wanted === undefined || String(row.values['deployment']).toLowerCase() === wanted) &&
    (filter.archived === undefined || isArchived(row) === filter.archived);
  let from = start.after;
  for (let month = start.month; month >= FIRST_MONTH; month = before(month), from = undefined) {
    let page: string | undefined;
    do {
      const answer = await table.query(partitionOf(filter.endpoint, month), {
        ...(from === undefined ? {} : { from }),
        ...(page === undefined ? {} : { continuation: page }),
        limit: limit + 1,
      });
      for (const row of answer.rows) {
        if (!fits(row)) continue;
        if (jobs.length === limit) return { jobs, continuation: JSON.stringify({ month, after: row.row }) };
        jobs.push(indexedJob(row));
      }
      page = answer.continuation;
    } while (page !== undefined);
  }
  return { jobs };
}

function before(month: string): string {
  const year = Number(month.slice(0, 4));
  const number = Number(month.slice(4));
  return number === 1 ? `${year - 1}12` : `${year}${String(number - 1).padStart(2, '0')}`;
}
