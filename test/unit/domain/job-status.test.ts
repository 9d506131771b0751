import { describe, expect, it } from 'vitest';
import { jobStatus, type JobRecord, type OrchestrationState } from '../../../shared/domain/job.ts';

const base = {
  name: 'j',
  endpoint: 'e',
  deployment: 'd',
  createdAt: '2026-01-01T00:00:00.000Z',
  cancelRequested: false,
};
const running = { ...base, execution: 'x', startedAt: base.createdAt };
const ended = { ...base, startedAt: null, endedAt: base.createdAt, totals: null, failures: [], errorsUri: null };
const reason = { code: 'c', message: 'm' };
const records = {
  accepted: { state: 'accepted', ...base },
  planning: { state: 'planning', ...running },
  scoring: { state: 'scoring', ...running, files: 1, lanes: 1 },
  committing: { state: 'committing', ...running, files: 1, lanes: 1 },
  resuming: { state: 'resuming', ...base, generation: 2, startedAt: base.createdAt },
  resumed: { state: 'planning', ...running, generation: 2 },
  last: { state: 'scoring', ...running, generation: 3, files: 1, lanes: 1 },
  completed: { state: 'completed', ...ended, outputUri: 'o', errorsUri: null },
  failed: { state: 'failed', ...ended, reason },
  canceled: { state: 'canceled', ...ended, reason },
} satisfies Record<string, JobRecord>;

describe("Azure ML's status word", () => {
  it.each<[keyof typeof records, OrchestrationState, string]>([
    ['accepted', 'active', 'Preparing'],
    ['accepted', 'absent', 'Preparing'],
    ['accepted', 'ended', 'Failed'],
    ['planning', 'active', 'Preparing'],
    ['planning', 'absent', 'Failed'],
    ['scoring', 'active', 'Running'],
    ['scoring', 'absent', 'Failed'],
    ['scoring', 'ended', 'Failed'],
    ['scoring', 'failed', 'Running'],
    ['scoring', 'suspended', 'Running'],
    ['resuming', 'absent', 'Running'],
    ['resuming', 'ended', 'Failed'],
    ['resumed', 'active', 'Running'],
    ['last', 'active', 'Running'],
    ['last', 'failed', 'Failed'],
    ['committing', 'active', 'Finalizing'],
    ['committing', 'absent', 'Finalizing'],
    ['completed', 'ended', 'Completed'],
    ['completed', 'absent', 'Completed'],
    ['failed', 'ended', 'Failed'],
    ['canceled', 'ended', 'Canceled'],
  ])('of a job that is %s, with an orchestration that is %s, is %s', (state, orchestration, status) => {
    expect(jobStatus(records[state], orchestration)).toBe(status);
  });

  it.each(['accepted', 'planning', 'scoring', 'resuming', 'committing'] as const)(
    'of a %s job that is to be cancelled is CancelRequested',
    (state) => {
      expect(jobStatus({ ...records[state], cancelRequested: true })).toBe('CancelRequested');
    },
  );
});
