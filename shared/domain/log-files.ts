/** The files that clients stream and download of a pipeline job and of its one child run (contract 4, jobs.stream). */
export const PARENT_LOG = 'logs/azureml/executionlogs.txt';
export const CHILD_LOG = 'user_logs/std_log.txt';

/** Where clients look for what a run left besides its outputs (contract 4, jobs.download): its logs. */
export const ARTIFACT_STORE = 'workspaceartifactstore';

/** One folder in it for each run. */
export const ARTIFACT_RUNS = 'ExperimentRun/';
