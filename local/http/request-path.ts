import type { IncomingMessage } from 'node:http';
import { TLSSocket } from 'node:tls';
/** The path and query of a request target. Segments are decoded, but %2F stays what it is. */
export interface RequestPath {
  readonly segments: readonly string[];
  /** The decoded path, encoded again as the real host does: %3A becomes ":", %2F stays. */
  readonly path: string;
  /** With its question mark, or empty. */
  readonly search: string;
}

export function parseRequestPath(target: string): RequestPath {
  const question = target.indexOf('?');
  const rawPath = question < 0 ? target : target.slice(0, question);
  const segments = rawPath.split('/').slice(1).map(decodeSegment);
  // A slash at the end does not count for routing.
  const trimmed = segments.at(-1) === '' ? segments.slice(0, -1) : segments;
  return {
    segments: trimmed,
    path: `/${segments.map((segment) => segment.split(/%2F/i).map(encodeSegment).join('%2F')).join('/')}`,
    search: question < 0 ? '' : target.slice(question),
  };
}

/** As `encodeURI`, but a question mark or hash that was part of the path stays part of it. */
const encodeSegment = (part: string): string => encodeURI(part).replaceAll('?', '%3F').replaceAll('#', '%23');

function decodeSegment(segment: string): string {
  return segment
    .split(/%2F/i)
    .map((part) => {
      try {
        return decodeURIComponent(part);
      } catch (error) {
        // A percent sign that is no escape is taken as it stands.
        if (error instanceof URIError) return part;
        throw error;
      }
    })
    .join('%2F');
}

/** How the request came: `http` or `https`. */
export const schemeOf = ({ socket }: IncomingMessage): string => (socket instanceof TLSSocket ? 'https' : 'http');
