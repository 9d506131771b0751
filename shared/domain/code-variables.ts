import { badRequest } from './errors.ts';

/** What the app itself tells a user's code through its environment. */
const OURS = /^(?:AZUREML_MODEL_DIR|AZUREML_BI_OUTPUT_PATH|BATCHPOINT_.*)$/i;

/**
 * Throws ApiError 400 for environment variables that a process cannot have, or that are the app's to set. All others are the
 * user's: whoever may bring code may also tell its interpreter what to do.
 */
export function checkVariables(
  variables: Readonly<Record<string, string>>,
  prefix = 'properties.environmentVariables',
): void {
  for (const [name, value] of Object.entries(variables)) {
    const shown = name.slice(0, 80);
    const target = `${prefix}.${shown}`;
    if (!/^[^=\0]+$/.test(name) || value.includes('\0'))
      throw badRequest(`${target}: is no environment variable that a process can have.`, target);
    if (OURS.test(name)) throw badRequest(`${target}: ${shown} is set by the app; choose another name.`, target);
  }
}
