import { z } from 'zod';
import { unavailable, unsteady, type Answers } from './scoring-scenarios.ts';

const stepInput = z.object({ step: z.string() });

/** Which steps the end of each makes ready: `split` starts two, and the slower one of them starts `join`. */
const DIAMOND: Readonly<Record<string, readonly string[]>> = { split: ['left', 'right'], left: [], right: ['join'] };

const ended = (input: object): object => ({ state: 'ended', next: DIAMOND[stepInput.parse(input).step] ?? [] });
const scores = (input: object): object => ({ state: 'scoring', scores: `job-of-${stepInput.parse(input).step}` });

const answers = (sources: readonly string[]): Answers => ({
  takePipeline: () => ({ over: false, sources }),
  runStep: ended,
  lookAtScoring: () => ({ ended: true, next: [] }),
  failStep: () => ({ next: [] }),
  endPipeline: () => ({ state: 'completed' }),
});

/** Ends at the look of this number. */
function endsAt(last: number): () => object {
  let looks = 0;
  return () => ({ ended: ++looks >= last, next: [] });
}

const failed = { endPipeline: () => ({ state: 'failed' }) };

/** The ways that a pipeline can go, one for each branch of its orchestrations. */
export const pipelineScenarios: Readonly<Record<string, Answers>> = {
  'pipeline-diamond': answers(['split']),
  'pipeline-two-sources': answers(['left', 'other']),
  'pipeline-without-steps': answers([]),
  'pipeline-over': { ...answers([]), takePipeline: () => ({ over: true, sources: [] }) },
  'pipeline-take-fails': { ...answers([]), takePipeline: unavailable('storage') },
  'pipeline-end-fails': { ...answers(['left']), endPipeline: unavailable('storage') },
  'step-retried': { ...answers(['left']), runStep: unsteady(ended) },
  'step-fails': { ...answers(['left']), ...failed, runStep: unavailable('storage') },
  'step-fails-and-starts-others': {
    ...answers(['left']),
    ...failed,
    runStep: (input) => (stepInput.parse(input).step === 'left' ? unavailable('storage')() : ended(input)),
    failStep: () => ({ next: ['right'] }),
  },
  'step-is-lost': { ...answers(['left']), runStep: unavailable('storage'), failStep: unavailable('storage') },
  'step-scores': {
    ...answers(['left']),
    runStep: scores,
    lookAtScoring: endsAt(3),
  },
  'step-scores-long': { ...answers(['left']), runStep: scores, lookAtScoring: endsAt(21) },
  'step-scores-and-fails': { ...answers(['left']), ...failed, runStep: scores, lookAtScoring: unavailable('storage') },
};
