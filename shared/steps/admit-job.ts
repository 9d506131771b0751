import { ApiError, tooManyRequests } from '../domain/errors.ts';
import type { JobPlace, Limits } from '../domain/limits.ts';
import type { Jobs } from '../storage/registry/jobs-port.ts';
import type { Clock } from './ports.ts';

/** How many jobs may run at once that clients submitted. */
export type RunningLimits = Pick<Limits, 'jobsPerEndpoint' | 'jobsPerDeployment' | 'jobsPerCaller'>;

interface Admitted {
  readonly name: string;
  readonly endpoint: string | null;
  readonly deployment: string | null;
  readonly createdBy: string;
  readonly places?: readonly JobPlace[] | undefined;
}

interface Submitted {
  readonly created: boolean;
  readonly spec: Admitted;
}

/** Long enough that a job may have ended, short enough for a client that waits. */
const RETRY_SECONDS = 30;

/**
 * Submits a job that has its places among the running jobs of its endpoint, its deployment and its caller, until its end. Without
 * limits the job is not counted: the app itself makes it, for a watch, a message or a step, and nobody could be told to come again.
 *
 * Throws ApiError 429 when there is no place; nothing was changed then.
 */
export async function admitJob<Spec extends Admitted, Answer extends Submitted>(
  { jobs, clock }: { readonly jobs: Jobs; readonly clock: Clock },
  limits: RunningLimits | undefined,
  spec: Spec,
  submit: (spec: Spec) => Promise<Answer>,
): Promise<Answer> {
  if (!limits) return submit(spec);
  const groups = groupsOf(spec, limits);
  const entry = await jobs.enter(spec.name, groups, clock.now());
  if ('full' in entry) throw full(groups, entry.full);
  const { places, isNew } = entry;
  try {
    const made = await submit({ ...spec, places });
    // Somebody else made it: what it was stored with is what its end gives back.
    if (isNew && !made.created)
      await jobs.leave(
        spec.name,
        places.filter((place) => !holds(made.spec, place)),
      );
    return made;
  } catch (error) {
    if (isNew && error instanceof ApiError) await jobs.leave(spec.name, places);
    throw error;
  }
}

/** Jobs that are counted together. */
interface Group {
  readonly group: string;
  readonly limit: number;
  /** As an error names it. */
  readonly whose: string;
}

function groupsOf({ endpoint, deployment, createdBy }: Admitted, limits: RunningLimits): Group[] {
  const groups = [{ group: `caller ${createdBy}`, limit: limits.jobsPerCaller, whose: 'The caller' }];
  if (endpoint === null) return groups;
  const path = endpoint.toLowerCase();
  if (deployment !== null)
    groups.unshift({
      group: `deployment ${path}/${deployment.toLowerCase()}`,
      limit: limits.jobsPerDeployment,
      whose: `Deployment '${deployment}' of endpoint '${endpoint}'`,
    });
  return [{ group: `endpoint ${path}`, limit: limits.jobsPerEndpoint, whose: `Endpoint '${endpoint}'` }, ...groups];
}

const holds = ({ places = [] }: Admitted, { group, slot }: JobPlace): boolean =>
  places.some((place) => place.group === group && place.slot === slot);

function full(groups: readonly Group[], name: string): ApiError {
  const group = groups.find((each) => each.group === name);
  if (!group) throw new Error(`nobody asked for a place in group '${name}'`);
  return tooManyRequests(
    `${group.whose} has ${group.limit} running jobs, and may have no more at once.`,
    RETRY_SECONDS,
  );
}
