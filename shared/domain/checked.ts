import type { z } from 'zod';
import { ApiError, type ErrorDetail } from './errors.ts';

/** An answer names so many faults and counts the others. */
const MAX_DETAILS = 20;

/** Reads a value through a schema. Throws one ApiError 400 with a detail per issue, named by its path on the wire. */
export function checked<Schema extends z.ZodType>(schema: Schema, value: unknown, prefix = ''): z.infer<Schema> {
  const result = schema.safeParse(value, { error: wording });
  if (result.success) return result.data;
  const details = result.error.issues.map((issue): ErrorDetail => {
    const target = [prefix, ...issue.path.map(String)].filter((part) => part !== '').join('.');
    return { code: 'UserError', message: `${target}: ${issue.message}`, target };
  });
  const [first] = details;
  const others = details.length > 1 ? ` (and ${details.length - 1} more)` : '';
  throw new ApiError(400, 'UserError', `${first?.message ?? 'The request is wrong'}${others}`, {
    ...(first && { target: first.target }),
    details: details.slice(0, MAX_DETAILS),
  });
}

/** Zod's own words suit programmers; these are for whoever reads an error envelope. */
export function wording(issue: z.core.$ZodRawIssue): string | undefined {
  if (issue.code === 'invalid_type') {
    const kind = issue.expected === 'int' ? 'a whole number' : `of type ${issue.expected}`;
    return issue.input === undefined ? 'is required' : `must be ${kind}`;
  }
  if (issue.code === 'invalid_value') return `must be one of ${issue.values.map(String).join(', ')}`;
  if (issue.code === 'too_small' && issue.origin !== 'string')
    return `must be ${issue.inclusive === false ? 'more than' : 'at least'} ${issue.minimum}`;
  if (issue.code === 'too_big')
    return issue.origin === 'string'
      ? `must have at most ${issue.maximum} characters`
      : `must be at most ${issue.maximum}`;
  return undefined;
}
