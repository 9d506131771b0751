const JOB_PREFIX = 'batchjob-';
const CHILD_SUFFIX = '-score';
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/**
 * A batch job is a pipeline of one step in Azure ML, and clients download from that step's run (contract 4). Its name follows
 * from the job's and leads back to it, so nothing is stored: the job's own guid where it has one.
 */
export function childRunOf(job: string): string {
  const guid = job.startsWith(JOB_PREFIX) ? job.slice(JOB_PREFIX.length) : '';
  return UUID.test(guid) ? guid : `${job}${CHILD_SUFFIX}`;
}

/** The job whose child run would have this name; undefined when no job's child is named so. */
export function jobOfChildRun(name: string): string | undefined {
  if (UUID.test(name)) return `${JOB_PREFIX}${name}`;
  if (!name.endsWith(CHILD_SUFFIX)) return undefined;
  const job = name.slice(0, -CHILD_SUFFIX.length);
  return job !== '' && childRunOf(job) === name ? job : undefined;
}
