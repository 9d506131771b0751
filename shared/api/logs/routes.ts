import { Hono } from 'hono';
import { ApiError, notFound } from '../../domain/errors.ts';
import { CHILD_LOG, PARENT_LOG } from '../../domain/log-files.ts';
import type { ApiEnv, RouteDeps } from '../context.ts';
import { checkLogUrl } from './signed-log-url.ts';

const HEADERS = {
  'Content-Type': 'text/plain; charset=utf-8',
  'Accept-Ranges': 'bytes',
};

/** Jobs' logs below `/logs`, by signed URL. Parent and child run show the same text: the job is its one step. */
export function logRoutes(deps: RouteDeps): Hono<ApiEnv> {
  return new Hono<ApiEnv>().get('/:job/*', async (c) => {
    const { pathname, searchParams } = new URL(c.req.url);
    const job = c.req.param('job');
    const file = pathname.split('/').slice(3).join('/');
    if (file !== PARENT_LOG && file !== CHILD_LOG) throw notFound('There is no log of this name.');
    await checkLogUrl(deps.ids, { query: searchParams, job, file, now: deps.clock.now() });
    return ranged(await deps.logs.read(job), c.req.header('range'));
  });
}

/** The whole text, or the range that was asked for (RFC 9110, 14.2): one range; any other header is passed over. */
function ranged(text: Uint8Array, header: string | undefined): Response {
  const asked = /^bytes=(\d{0,15})-(\d{0,15})$/.exec(header?.trim() ?? '');
  if (!asked || asked[0] === 'bytes=-') return new Response(Buffer.from(text), { headers: HEADERS });
  const [, first = '', last = ''] = asked;
  const start = first === '' ? Math.max(0, text.length - Number(last)) : Number(first);
  const end = first === '' || last === '' ? text.length - 1 : Math.min(Number(last), text.length - 1);
  if (start >= text.length || end < start)
    throw new ApiError(416, 'InvalidRange', `The log has ${text.length} bytes so far.`);
  return new Response(Buffer.from(text.subarray(start, end + 1)), {
    status: 206,
    headers: { ...HEADERS, 'Content-Range': `bytes ${start}-${end}/${text.length}` },
  });
}
