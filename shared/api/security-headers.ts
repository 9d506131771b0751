/** What every answer tells a browser that got hold of it: show nothing of others in it, nor it in others, and keep no copy. */
export const SECURITY_HEADERS: Readonly<Record<string, string>> = {
  'Cache-Control': 'no-store',
  'Content-Security-Policy': "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Referrer-Policy': 'no-referrer',
  'X-Content-Type-Options': 'nosniff',
};

const YEAR_SECONDS = 365 * 24 * 60 * 60;

/**
 * Adds the headers to an answer; over HTTPS also that there is no other way. Not on localhost, where the rule would be one for
 * whatever else listens there.
 */
export function secure(headers: Headers, baseUrl: string): void {
  for (const [name, value] of Object.entries(SECURITY_HEADERS)) headers.set(name, value);
  const { protocol, hostname } = new URL(baseUrl);
  if (protocol === 'https:' && hostname !== 'localhost')
    headers.set('Strict-Transport-Security', `max-age=${YEAR_SECONDS}`);
}
