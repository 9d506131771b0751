/** A request that cannot be served, with Azure ML's words. Mapped to the error envelope at one edge (shared/api). */
export class ApiError extends Error {
  readonly status: number;
  readonly code: string;
  /** Path of the field at fault, e.g. `properties.inputData.heart.uri`. */
  readonly target: string | undefined;
  readonly details: readonly ErrorDetail[];
  /** Seconds after which the same request may succeed. */
  readonly retryAfter: number | undefined;
  constructor(
    status: number,
    code: string,
    message: string,
    at: { target?: string; details?: readonly ErrorDetail[]; retryAfter?: number } = {},
  ) {
    super(message);
    this.name = 'ApiError';
    this.status = status;
    this.code = code;
    this.target = at.target;
    this.details = at.details ?? [];
    this.retryAfter = at.retryAfter;
  }
}

export interface ErrorDetail {
  readonly code: string;
  readonly message: string;
  readonly target: string;
}

export const badRequest = (message: string, target?: string): ApiError =>
  new ApiError(400, 'UserError', message, target === undefined ? {} : { target });

export const notFound = (message: string): ApiError => new ApiError(404, 'NotFound', message);

/** A resource that is not there, in ARM's words. */
export const resourceNotFound = (what: string): ApiError =>
  new ApiError(404, 'ResourceNotFound', `${what} does not exist.`);

/** A limit of the app is reached; nothing was changed. `retryAfter` in seconds. */
export const tooManyRequests = (message: string, retryAfter: number): ApiError =>
  new ApiError(429, 'TooManyRequests', message, { retryAfter });

export const conflict = (message: string): ApiError => new ApiError(409, 'Conflict', message);

/** A reason for which a whole job fails. Shown to the user in one line; retrying would not help. */
export class JobFault extends Error {
  readonly code: string;
  constructor(code: string, reason: string) {
    super(reason);
    this.name = 'JobFault';
    this.code = code;
  }
}

/** Text of anything that was thrown. */
export const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
