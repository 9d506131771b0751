import { beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { documentPaths } from '../../../shared/api/openapi/document.ts';
import { ROUTE_ACTIONS } from '../../../shared/api/route-table.ts';
import { request, worldMaker, WORKSPACE, type World } from './api-world.ts';
import { ROUTE_ROWS } from './route-rows.ts';

const Operation = z.looseObject({
  operationId: z.string(),
  security: z.array(z.unknown()).optional(),
  'x-batchpoint-action': z.string().optional(),
  parameters: z.array(z.looseObject({ in: z.string(), name: z.string(), required: z.boolean() })),
  requestBody: z
    .object({
      required: z.boolean(),
      content: z.object({ 'application/json': z.object({ schema: z.looseObject({ type: z.string().optional() }) }) }),
    })
    .optional(),
  responses: z.record(z.string(), z.unknown()),
});
type Operation = z.infer<typeof Operation>;

const Document = z.looseObject({
  openapi: z.literal('3.1.0'),
  paths: z.record(z.string(), z.record(z.string(), Operation)),
});

const freshWorld = worldMaker();
let world: World;
let document: z.infer<typeof Document>;

beforeAll(async () => {
  world = await freshWorld();
  document = Document.parse((await world.call('GET', '/openapi.json')).body);
});

const ERROR = { $ref: '#/components/responses/Error' };
const rows = Object.entries(ROUTE_ROWS).map(([route, row]) => ({ ...row, route, method: route.split(' ')[0] ?? '' }));

const operationsOf = (route: string): Operation[] =>
  documentPaths(route).map((path) => {
    const found = document.paths[path]?.[(route.split(' ')[0] ?? '').toLowerCase()];
    if (!found) throw new Error(`${route} is not in the document`);
    return found;
  });

const operationOf = (route: string): Operation => {
  const [operation] = operationsOf(route);
  if (!operation) throw new Error(`${route} has no path`);
  return operation;
};

const names = (operation: Operation, where: string): string[] =>
  operation.parameters.filter((one) => one.in === where).map(({ name }) => name);

describe('the document', () => {
  it('is served without a token, and holds every route of the table and no other', async () => {
    expect((await world.api.fetch(request('GET', '/openapi.json'))).status).toBe(200);
    const told = Object.entries(document.paths).flatMap(([path, operations]) =>
      Object.keys(operations).map((method) => `${method.toUpperCase()} ${path}`),
    );
    const expected = Object.keys(ROUTE_ACTIONS).flatMap((route) =>
      documentPaths(route).map((path) => `${route.split(' ')[0]} ${path}`),
    );
    expect(told.sort()).toEqual(expected.sort());
  });

  it('calls every operation by a name of its own', () => {
    const ids = Object.values(document.paths).flatMap((one) => Object.values(one).map((each) => each.operationId));
    expect(new Set(ids).size).toBe(ids.length);
  });

  it.each(rows)('tells what $route takes and answers', ({ route, body }) => {
    for (const operation of operationsOf(route)) {
      const action = ROUTE_ACTIONS[route];
      expect({ security: operation.security, action: operation['x-batchpoint-action'] }).toEqual(
        action === 'open' ? { security: [], action: undefined } : { security: undefined, action },
      );
      const inPath = [...route.matchAll(/:(\w+)/g)].map(([, name]) => name);
      expect(names(operation, 'path').filter((name) => inPath.includes(name))).toEqual(inPath);
      expect(operation.responses).toMatchObject({ '4XX': ERROR, 503: ERROR });
      const successes = Object.keys(operation.responses).filter((status) => status.startsWith('2'));
      const isAlwaysRefused = /listkeys$|^DELETE .*\/jobs\/:job$/.test(route);
      expect(successes.length > 0).toBe(!isAlwaysRefused);
      // A row without a body is a call that needs none.
      expect(operation.requestBody?.required ?? false, 'a body').toBe(
        body !== undefined && !route.endsWith('listkeys'),
      );
    }
  });
});

describe('what the document says of a parameter', () => {
  /** Parameters with a rule, each with a value that breaks it. */
  const RULES = { limit: 'none', $skiptoken: 'made-up', listViewType: 'none', $orderBy: 'none' };

  it.each(rows.filter(({ method, status }) => method === 'GET' && status === 200))(
    'holds for $route',
    async ({ route, path }) => {
      for (const [name, value] of Object.entries(RULES)) {
        const { status } = await world.call('GET', `${path}?${encodeURIComponent(name)}=${value}`);
        expect(status, name).toBe(names(operationOf(route), 'query').includes(name) ? 400 : 200);
      }
    },
  );

  it('holds for the ETag of a change', async () => {
    for (const { route, method } of rows.filter(({ path }) => path.startsWith(WORKSPACE)))
      expect(names(operationOf(route), 'header').includes('if-match'), route).toBe(
        ['PUT', 'PATCH', 'DELETE'].includes(method) && !/\/(?:runs|jobs)\/:/.test(route),
      );
  });
});

describe('what the document says of a body', () => {
  it('names the fields of the schema that reads it', () => {
    const home = Object.keys(ROUTE_ACTIONS).find((route) => route.endsWith('/computes/:name')) ?? '';
    const schema = operationOf(home.replace('GET', 'PUT')).requestBody?.content['application/json'].schema;
    expect(schema).toMatchObject({
      type: 'object',
      properties: { properties: { properties: { computeType: { type: 'string', enum: ['AmlCompute'] } } } },
    });
  });

  it('tells both forms of an invocation and the three of a job', () => {
    const forms = (end: string): unknown =>
      operationsOf(Object.keys(ROUTE_ACTIONS).find((route) => route.endsWith(end)) ?? '').map(
        ({ requestBody }) => (requestBody?.content['application/json'].schema as { anyOf: unknown[] }).anyOf.length,
      );
    expect(forms('POST /endpoints/:endpoint/jobs')).toEqual([2]);
    const put = Object.keys(ROUTE_ACTIONS).find((route) => /^PUT .*\/jobs\/:job$/.test(route)) ?? '';
    expect(forms(put)).toEqual([3]);
  });
});
