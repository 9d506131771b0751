import { inScope } from '../telemetry/job-scope.ts';
import { belowCaller, inSpan, nameSpan, note, noteFailure } from '../telemetry/spans.ts';

/**
 * Answers a request as a server span below the caller's (W3C `traceparent`). The span has the route and never the path, which callers
 * write, nor the query, in which signatures are.
 */
export function inRequestSpan(
  method: string,
  traceparent: string | null,
  answer: () => Promise<Response>,
): Promise<Response> {
  const below = belowCaller(traceparent);
  return inScope({}, () =>
    inSpan(method, { kind: 'server', below, attributes: { 'http.request.method': method } }, async () => {
      const response = await answer();
      note({ 'http.response.status_code': response.status });
      if (response.status >= 500) noteFailure(String(response.status));
      return response;
    }),
  );
}

/** The route of the present request, as `/path/:name`. */
export function noteRoute(method: string, path: string): void {
  nameSpan(`${method} ${path}`);
  note({ 'http.route': path });
}
