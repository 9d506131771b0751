import { isEnded, JobRecord } from '../../domain/job.ts';
import { isPipelineEnded, PipelineRecord } from '../../domain/pipeline/pipeline-job.ts';
import type { Table, TableKey } from '../ports.ts';
import type { Documents } from './documents.ts';

/** Where a job stands is a row of its own partition, by its kind. */
export const scoringRecordKey = (job: string): TableKey => ({ partition: job, row: 'job' });
export const pipelineRecordKey = (job: string): TableKey => ({ partition: job, row: 'pipeline' });

/** True for a job of any kind that has ended, or was never stored. */
export async function isJobOver(table: Table, { unpack }: Documents, name: string): Promise<boolean> {
  const scoring = await table.get(scoringRecordKey(name));
  if (scoring) return isEnded(await unpack(scoring, JobRecord));
  const pipeline = await table.get(pipelineRecordKey(name));
  return pipeline === undefined || isPipelineEnded(await unpack(pipeline, PipelineRecord));
}
