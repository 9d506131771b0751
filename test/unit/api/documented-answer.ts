import { expect } from 'vitest';
import { z } from 'zod';
import { answersOf, ErrorEnvelope } from '../../../shared/api/openapi/answers.ts';
import { routePath } from '../../../shared/api/route-path.ts';

/** A route as a pattern of the paths that reach it. */
const patternOf = (route: string): RegExp =>
  new RegExp(`^${route.replace(/[.]/g, '\\.').replace(/:\w+/g, '[^/]+').replace('*', '.*')}/?$`);

/** Fails unless an answer is one that the OpenAPI document tells of its route, with a body of the schema that it shows. */
export function expectDocumented(routes: readonly string[], request: Request, status: number, body: unknown): void {
  if (status >= 400) {
    expect(ErrorEnvelope.safeParse(body).error, `the envelope of ${request.method} ${request.url}`).toBeUndefined();
    return;
  }
  const asked = `${request.method} ${routePath(request)}`;
  const route = routes.find((one) => patternOf(one).test(asked));
  if (route === undefined) throw new Error(`${asked} is no route, and was answered ${status}.`);
  const answer = answersOf(route)[status];
  expect(answer, `${route} answers ${status}, which is not documented`).toBeDefined();
  const { content } = answer ?? {};
  if (content instanceof z.ZodType)
    expect(content.safeParse(body).error?.issues, `${route} answers ${status}`).toBeUndefined();
  else if (content === undefined) expect(body).toBe('');
}
