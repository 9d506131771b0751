import { forbidden, may } from '../auth/may.ts';
import { listJobs, type AnyJobView, type ListedJobView } from '../steps/any-job.ts';
import { filteredPage } from '../steps/filtered-page.ts';
import type { JobFilter } from '../storage/registry/jobs-port.ts';
import type { PageOfRecords } from '../storage/registry/collection.ts';
import type { ApiContext, RouteDeps } from './context.ts';

const asResource = ({ spec }: AnyJobView | ListedJobView) => ({
  endpoint: spec.endpoint ?? undefined,
  createdBy: spec.createdBy,
});

const mayRead = (c: ApiContext, view: AnyJobView | ListedJobView): boolean =>
  may(c.var.principal, 'jobs/read', asResource(view));

/**
 * A job that the caller may read; undefined, as for one that does not exist, when not. Throws ApiError 403 when the caller may
 * read it, but not do with it what the route does.
 */
export function readable<T extends AnyJobView>(c: ApiContext, view: T | undefined): T | undefined {
  if (!view || !mayRead(c, view)) return undefined;
  if (!may(c.var.principal, c.var.action, asResource(view))) throw forbidden(c.var.action);
  return view;
}

/** As `listJobs`, without the jobs that the caller may not read. */
export const listReadable = (
  c: ApiContext,
  deps: RouteDeps,
  filter: JobFilter,
  limit: number,
  continuation: string | undefined,
): Promise<PageOfRecords<ListedJobView>> =>
  filteredPage(
    async (size, from) => {
      const { views, ...rest } = await listJobs(deps, filter, size, from);
      return { records: views, ...rest };
    },
    (view) => mayRead(c, view),
    limit,
    continuation,
  );
