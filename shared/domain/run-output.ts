/** The one output of a model deployment (contract 6). */
export const SCORE = 'score';

/** The folder that a job's predictions lie in, with the errors file beside them. */
export const outputFolder = (file: string): string => file.slice(0, file.lastIndexOf('/') + 1);
