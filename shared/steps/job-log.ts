import type { Manifest } from '../domain/plan.ts';
import type { Log } from './ports.ts';

const nothing = (): void => undefined;

/** The log of a job's slices, no louder than the job's `loggingLevel`; every line names the job. */
export function jobLog(log: Log, manifest: Pick<Manifest, 'job' | 'settings'>): Log {
  const { job } = manifest;
  const level = manifest.settings.loggingLevel;
  return {
    debug: level === 'Debug' ? (fields, message) => log.debug({ job, ...fields }, message) : nothing,
    info: level === 'Warning' ? nothing : (fields, message) => log.info({ job, ...fields }, message),
    warn: (fields, message) => log.warn({ job, ...fields }, message),
    error: (fields, message) => log.error({ job, ...fields }, message),
  };
}
