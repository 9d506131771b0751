/** The files that clients stream and download of a pipeline job and of its one child run (contract 4, jobs.stream). */
export const PARENT_LOG = 'logs/azureml/executionlogs.txt';
export const CHILD_LOG = 'user_logs/std_log.txt';
