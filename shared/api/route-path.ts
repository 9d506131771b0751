/**
 * Azure's paths are alternating literals and names; literals match in any case (ARM). Lower-cases the literals so that routes
 * can be written once, and leaves names as they are. Works on the raw path, so an encoded slash stays inside its segment.
 */
export function routePath(request: Request): string {
  const { pathname } = new URL(request.url);
  const segments = pathname.split('/');
  return segments
    .map((segment, index) => {
      const literal = index % 2 === 1 || segments[index - 1]?.toLowerCase() === 'providers';
      return literal ? segment.toLowerCase() : segment;
    })
    .join('/');
}

/** The last segments of a path that are not empty, decoded: `/jobs//subscriptions/.../jobs/x/` ends in `x` (contract 2). */
export function lastSegments(request: Request): { last: string; before: string } {
  const segments = new URL(request.url).pathname.split('/').filter((segment) => segment !== '');
  return { last: decoded(segments.at(-1)), before: decoded(segments.at(-2)) };
}

function decoded(segment = ''): string {
  try {
    return decodeURIComponent(segment);
  } catch (error) {
    if (error instanceof URIError) return segment;
    throw error;
  }
}
