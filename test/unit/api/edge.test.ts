import { expect, it } from 'vitest';
import { StorageFault } from '../../../shared/storage/ports.ts';
import type { Registry } from '../../../shared/storage/registry/resources.ts';
import { errorOf, worldMaker } from './api-world.ts';

const freshWorld = worldMaker();

/** A world whose endpoints cannot be read. */
async function brokenBy(error: Error) {
  const { deps } = await freshWorld();
  const endpoints: Registry['endpoints'] = {
    ...deps.registry.endpoints,
    get: async () => {
      throw error;
    },
  };
  return freshWorld({ registry: { ...deps.registry, endpoints } });
}

it.each([429, 408, 500, 503])('is busy while storage answers %i', async (status) => {
  const world = await brokenBy(new StorageFault('read secret-name', status, 'ServerBusy', 'r-1'));
  const answer = await world.call('GET', '/endpoints/heart-ep/jobs');
  expect(answer.headers.get('retry-after')).toBe('5');
  expect(errorOf(answer)).toEqual({
    status: 503,
    code: 'ServiceUnavailable',
    target: undefined,
    message: 'Storage does not answer in time. Try again.',
  });
});

it.each([new StorageFault('read x', 403, 'AuthorizationFailure'), new TypeError('secret is undefined')])(
  'tells nobody but the log what %s was',
  async (error) => {
    const world = await brokenBy(error);
    const answer = await world.call('GET', '/endpoints/heart-ep/jobs?sig=secret');
    const requestId = answer.headers.get('x-request-id');
    expect(errorOf(answer)).toEqual({
      status: 500,
      code: 'InternalServerError',
      target: undefined,
      message: `The request failed inside the app (request ${requestId}).`,
    });
    expect(world.lines).toEqual([
      {
        message: 'request failed',
        fields: {
          requestId,
          method: 'GET',
          path: '/endpoints/heart-ep/jobs',
          error: error.message,
          stack: error.stack,
        },
      },
      {
        message: 'request',
        fields: { method: 'GET', path: '/endpoints/heart-ep/jobs', status: 500, ms: 0, requestId },
      },
    ]);
  },
);

it('logs one line per request, without query and token', async () => {
  const world = await freshWorld();
  const answer = await world.call('GET', '/endpoints/none/jobs?sig=secret');
  expect(world.lines).toEqual([
    {
      message: 'request',
      fields: {
        method: 'GET',
        path: '/endpoints/none/jobs',
        status: 404,
        ms: 0,
        requestId: answer.headers.get('x-request-id'),
      },
    },
  ]);
});
