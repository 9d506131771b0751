import { beforeAll, expect, it } from 'vitest';
import { request, worldMaker, type World } from './api-world.ts';
import { ROUTE_ROWS } from './route-rows.ts';

const freshWorld = worldMaker();
let world: World;

beforeAll(async () => {
  world = await freshWorld();
});

it('are exactly those of the table', () => {
  expect([...world.api.routes].sort()).toEqual(Object.keys(ROUTE_ROWS).sort());
});

const rows = Object.entries(ROUTE_ROWS).map(([route, row]) => ({ ...row, route, method: route.split(' ')[0] ?? '' }));
const extras = ({ body }: { body?: unknown }) => (body === undefined ? {} : { body });

it.each(rows)('$route answers what is unknown or wrong in the envelope and writes nothing', async (row) => {
  const before = world.writes.length;
  for (const query of ['', '?api-version=2022-05-01', '?api-version=never']) {
    const answer = await world.call(row.method, `${row.path}${query}`, extras(row));
    const error = answer.body === '' ? undefined : (answer.body as { error?: { target?: string } }).error;
    expect({ status: answer.status, target: error?.target }).toEqual({ status: row.status, target: row.target });
    expect(error !== undefined).toBe(row.status >= 400);
  }
  expect(world.writes.slice(before)).toEqual([]);
});

it.each(rows.filter(({ target }) => target !== undefined))('$route refuses what is no JSON object', async (row) => {
  for (const text of ['', '[]', '{"properties":'])
    expect((await world.call(row.method, row.path, { text })).status, text).toBe(400);
});

it.each(rows.filter(({ isPublic }) => !isPublic))('$route is not served without a token', async (row) => {
  expect((await world.api.fetch(request(row.method, row.path, extras(row)))).status).toBe(401);
});
