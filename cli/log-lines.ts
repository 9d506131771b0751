import { z } from 'zod';

const Line = z.looseObject({ level: z.number(), msg: z.string() });
const Request = z.object({ method: z.string(), path: z.string(), status: z.number(), ms: z.number() });

const WARNING = 40;

/**
 * Makes the app's output readable as it comes in: a log line of JSON becomes a short one, anything else stays. Answers a
 * function that takes chunks of text.
 */
export function readableOutput(write: (text: string) => void): (chunk: string) => void {
  let rest = '';
  return (chunk) => {
    const lines = (rest + chunk).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) write(`${readableLine(line)}\n`);
  };
}

function readableLine(line: string): string {
  if (!line.startsWith('{')) return line;
  let parsed: unknown;
  try {
    parsed = JSON.parse(line);
  } catch {
    return line;
  }
  const log = Line.safeParse(parsed);
  if (!log.success) return line;
  const { level, time: _time, msg, ...fields } = log.data;
  const request = Request.safeParse(fields);
  if (request.success) {
    const { method, path, status, ms } = request.data;
    return `  ${method} ${shortened(path)} ${status} ${ms} ms`;
  }
  const details = Object.entries(fields).map(
    ([name, value]) => `${name}=${typeof value === 'string' ? value : JSON.stringify(value)}`,
  );
  return `  ${level >= WARNING ? '! ' : ''}${msg}  ${details.join(' ')}`;
}

/** Management paths begin with 150 characters that say nothing here. */
const shortened = (path: string): string => path.replace(/^\/subscriptions\/.*\/workspaces\/[^/]+\//i, '…/');
