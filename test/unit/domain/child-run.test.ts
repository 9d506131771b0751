import { describe, expect, it } from 'vitest';
import { childRunOf, jobOfChildRun } from '../../../shared/domain/child-run.ts';

const GUID = '0b1c2d3e-0000-8000-8000-000000000001';

describe('the child run of a job', () => {
  it.each([
    [`batchjob-${GUID}`, GUID],
    ['mine', 'mine-score'],
    ['batchjob-mine', 'batchjob-mine-score'],
    ['x-score', 'x-score-score'],
  ])('of %s is %s, which leads back', (job, child) => {
    expect([childRunOf(job), jobOfChildRun(child)]).toEqual([child, job]);
  });

  it.each(['', 'mine', '-score', `batchjob-${GUID}`, `batchjob-${GUID}-score`])('is not named %j', (name) => {
    expect(jobOfChildRun(name)).toBeUndefined();
  });
});
