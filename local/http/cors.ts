import type { IncomingMessage, ServerResponse } from 'node:http';

export interface CorsSettings {
  /** Origins, separated by commas, or "*". */
  readonly CORS?: string | undefined;
  readonly CORSCredentials?: boolean | undefined;
}

/**
 * Adds the headers of cross-origin requests to an answer; true when the request was a preflight and is answered. As the
 * ASP.NET middleware that Core Tools set up: any method and header, the listed origins.
 */
export type Cors = (request: IncomingMessage, response: ServerResponse) => boolean;

/** Throws where ASP.NET refuses to start: any origin together with credentials. Without origins nothing is added. */
export function createCors({ CORS = '', CORSCredentials: credentials = false }: CorsSettings): Cors {
  const origins = CORS.split(',')
    .map((origin) => origin.trim().replace(/\/$/, '').toLowerCase())
    .filter((origin) => origin !== '');
  const any = origins.includes('*');
  if (any && credentials) {
    throw new Error(
      'local.settings.json: Host.CORS may not be "*" with CORSCredentials. Name the origins, separated by commas.',
    );
  }
  return (request, response) => {
    const { origin } = request.headers;
    if (origins.length === 0 || origin === undefined) return false;
    const method = request.headers['access-control-request-method'];
    const preflight = request.method === 'OPTIONS' && method !== undefined;
    if (origins.length > 1 && !any) response.appendHeader('vary', 'Origin');
    if (any || origins.includes(origin.toLowerCase())) {
      response.setHeader('access-control-allow-origin', any ? '*' : origin);
      if (credentials) response.setHeader('access-control-allow-credentials', 'true');
      if (preflight) {
        const headers = request.headers['access-control-request-headers'];
        response.setHeader('access-control-allow-methods', method);
        if (headers !== undefined) response.setHeader('access-control-allow-headers', headers);
      }
    }
    if (!preflight) return false;
    request.resume();
    response.writeHead(204).end();
    return true;
  };
}
