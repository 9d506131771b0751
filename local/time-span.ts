import { z } from 'zod';

const pattern = /^(?:(\d+)\.)?(\d+):(\d{1,2})(?::(\d{1,2})(?:\.(\d{1,7}))?)?$/;

/**
 * Milliseconds of a .NET TimeSpan such as `00:00:30`, `1.12:00:00` or `7` (days). Undefined when it is none.
 * As .NET does, it reads `24:00:00` as 24 days: a first part that is no hour is a number of days.
 */
export function parseTimeSpan(text: string): number | undefined {
  const trimmed = text.trim();
  if (/^\d+$/.test(trimmed)) return Number(trimmed) * 86_400_000;
  const match = pattern.exec(trimmed);
  if (match === null) return undefined;
  const [, days, first = '0', second = '0', third, fraction = ''] = match;
  const inDays = days === undefined && third !== undefined && fraction === '' && Number(first) > 23;
  const [d, h, m, s] = inDays ? [first, second, third, '0'] : [days ?? '0', first, second, third ?? '0'];
  if (Number(h) > 23 || Number(m) > 59 || Number(s) > 59) return undefined;
  const seconds = ((Number(d) * 24 + Number(h)) * 60 + Number(m)) * 60 + Number(s);
  return seconds * 1000 + Math.floor(Number(fraction.padEnd(7, '0')) / 10_000);
}

/** A TimeSpan at the edge, in milliseconds. */
export const timeSpan = z.string().transform((text, context) => {
  const ms = parseTimeSpan(text);
  if (ms !== undefined) return ms;
  context.addIssue({ code: 'custom', message: `"${text}" is not a time span such as "00:00:30"` });
  return z.NEVER;
});

/** As .NET writes it: `[d.]hh:mm:ss[.fffffff]`. */
export function formatTimeSpan(ms: number): string {
  const two = (n: number): string => String(Math.floor(n)).padStart(2, '0');
  const days = Math.floor(ms / 86_400_000);
  const clock = [(ms / 3_600_000) % 24, (ms / 60_000) % 60, (ms / 1000) % 60].map(two).join(':');
  const rest = Math.floor(ms % 1000);
  const fraction = rest === 0 ? '' : `.${String(rest).padStart(3, '0')}0000`;
  return `${days > 0 ? `${days}.` : ''}${clock}${fraction}`;
}
