/** An output of an earlier job as an input (contract 6). `path` is below the output, as written; empty for all of it. */
export interface JobOutputReference {
  readonly job: string;
  readonly output: string;
  readonly path: string;
}

/** Reads `azureml://jobs/<job>/outputs/<output>[/paths/<path>]`; undefined for any other text. */
export function parseJobOutput(text: string): JobOutputReference | undefined {
  const parts = /^azureml:\/\/jobs\/([^/?#]+)\/outputs\/([^/?#]+)(?:\/paths(?:\/([^?#]*))?)?\/?$/i.exec(text);
  const [, job, output, path = ''] = parts ?? [];
  return job === undefined || output === undefined ? undefined : { job, output, path };
}
