import { childRunOf, jobOfChildRun } from '../domain/child-run.ts';
import { notFound } from '../domain/errors.ts';
import { isJobName } from '../domain/management-names.ts';
import { viewAnyJob, type AnyJobView } from '../steps/any-job.ts';
import { viewJob, type JobView } from '../steps/job-view.ts';
import { viewPipeline, type PipelineView, type StepView } from '../steps/pipeline/pipeline-view.ts';
import type { ApiContext, RouteDeps } from './context.ts';
import { readable } from './readable-jobs.ts';
import { workspaceIdOf } from './resource-ids.ts';

/** A scoring job, or its one child run: the scoring step, which clients download from. */
export interface ScoringRun {
  readonly kind: 'scoring';
  readonly runId: string;
  readonly view: JobView;
  readonly isChild: boolean;
}

/** A pipeline job, or the run of one of its steps. */
export interface PipelineRun {
  readonly kind: 'pipeline';
  readonly runId: string;
  readonly view: PipelineView;
  readonly step?: StepView;
}

export type FoundRun = ScoringRun | PipelineRun;

export const isChildRun = (run: FoundRun): boolean => (run.kind === 'scoring' ? run.isChild : run.step !== undefined);

export const parentRun = (view: AnyJobView): FoundRun => {
  const runId = view.spec.name;
  return view.kind === 'scoring' ? { kind: 'scoring', runId, view, isChild: false } : { kind: 'pipeline', runId, view };
};

const scoringStep = (view: JobView): ScoringRun => ({
  kind: 'scoring',
  runId: childRunOf(view.spec.name),
  view,
  isChild: true,
});

const stepRun = (view: PipelineView, step: StepView): PipelineRun => ({
  kind: 'pipeline',
  runId: step.plan.run,
  view,
  step,
});

/** The runs of a job's steps; a step has none. */
export function childRuns(run: FoundRun): FoundRun[] {
  if (isChildRun(run)) return [];
  return run.kind === 'scoring' ? [scoringStep(run.view)] : run.view.steps.map((step) => stepRun(run.view, step));
}

/** A job or child run by its name in any case. Throws ApiError 404. */
export async function runOf(deps: RouteDeps, c: ApiContext, written: string): Promise<FoundRun> {
  const found = await findRun(deps, c, written);
  if (!found) throw notFound(`There is no job '${written.slice(0, 120)}'.`);
  return found;
}

/** As `runOf`; undefined for a name that is nobody's, or of a job that the caller may not read. */
export async function findRun(deps: RouteDeps, c: ApiContext, written: string): Promise<FoundRun | undefined> {
  if (!isJobName(written)) return undefined;
  const run = await anyRun(deps, written.toLowerCase());
  return run && readable(c, run.view) && run;
}

async function anyRun(deps: RouteDeps, name: string): Promise<FoundRun | undefined> {
  const view = await viewAnyJob(deps, name);
  if (view) return parentRun(view);
  const parent = jobOfChildRun(name);
  const viewOfParent = parent === undefined ? undefined : await viewJob(deps, parent);
  if (viewOfParent) return scoringStep(viewOfParent);
  const asked = await deps.pipelines.stepOfRun(name);
  const pipeline = asked && (await viewPipeline(deps, asked.job));
  const step = pipeline?.steps.find(({ plan }) => plan.path === asked?.path);
  return pipeline && step && stepRun(pipeline, step);
}

/** A job by its name in any case; a child run is none. Throws ApiError 404. */
export async function jobOf(deps: RouteDeps, c: ApiContext, written: string): Promise<AnyJobView> {
  const run = await runOf(deps, c, written);
  if (isChildRun(run)) throw notFound(`'${written.slice(0, 120)}' is the child run of a job: '${run.view.spec.name}'.`);
  return run.view;
}

/** The page of a job, for people. With a query, as Azure ML's: the client adds `&tid=...` to whatever it is. */
export const jobPageUrl = ({ baseUrl, workspace }: RouteDeps, request: Request, job: string): string =>
  `${baseUrl(request)}/jobs/${job}?wsid=${workspaceIdOf(workspace)}`;
