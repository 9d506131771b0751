import { ApiError, tooManyRequests } from '../domain/errors.ts';
import type { JobPlace, Limits } from '../domain/limits.ts';
import type { Jobs } from '../storage/registry/jobs-port.ts';
import type { Clock } from './ports.ts';

/** How many jobs may run at once that clients submitted. */
export type RunningLimits = Pick<Limits, 'jobsPerEndpoint' | 'jobsPerCaller'>;

interface Admitted {
  readonly name: string;
  readonly endpoint: string | null;
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
 * Submits a job that has its places among the running jobs of its endpoint and of its caller, until its end. Without limits the job
 * is not counted: the app itself makes it, for a watch, a message or a step, and nobody could be told to come again.
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
  const entry = await jobs.enter(spec.name, groupsOf(spec, limits), clock.now());
  if ('full' in entry) throw full(spec, limits, entry.full);
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

const endpointGroup = (endpoint: string): string => `endpoint ${endpoint.toLowerCase()}`;
const callerGroup = (caller: string): string => `caller ${caller}`;

const groupsOf = ({ endpoint, createdBy }: Admitted, limits: RunningLimits) => [
  ...(endpoint === null ? [] : [{ group: endpointGroup(endpoint), limit: limits.jobsPerEndpoint }]),
  { group: callerGroup(createdBy), limit: limits.jobsPerCaller },
];

const holds = ({ places = [] }: Admitted, { group, slot }: JobPlace): boolean =>
  places.some((place) => place.group === group && place.slot === slot);

const full = ({ endpoint }: Admitted, limits: RunningLimits, group: string): ApiError =>
  endpoint !== null && group === endpointGroup(endpoint)
    ? tooManyRequests(
        `Endpoint '${endpoint}' has ${limits.jobsPerEndpoint} running jobs, and may have no more at once.`,
        RETRY_SECONDS,
      )
    : tooManyRequests(
        `The caller has ${limits.jobsPerCaller} running jobs, and may have no more at once.`,
        RETRY_SECONDS,
      );
