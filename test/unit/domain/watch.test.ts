import { describe, expect, it } from 'vitest';
import { matchesGlob } from '../../../shared/domain/glob.ts';
import { mapBounded } from '../../../shared/domain/map-bounded.ts';
import { isWatched, watchOf } from '../../../shared/domain/watch.ts';

const store = (name: string, container: string, account = 'acct') => ({
  name,
  account,
  container,
  endpoint: `https://${account}.blob.core.windows.net`,
});
const STORES = [
  store('main', 'data'),
  store('second', 'more'),
  store('twin', 'same'),
  store('Twin2', 'same', 'b'),
  store('alias', 'data'),
  store('workspaceartifactstore', 'azureml'),
];

const read = (watch: unknown, name = 'batchpoint.watch') =>
  watchOf(
    {
      endpoint: 'heart',
      name: 'blue',
      properties: { [name]: typeof watch === 'string' ? watch : JSON.stringify(watch) },
    },
    STORES,
  );

describe('a watch', () => {
  it('is not there without its property', () => {
    expect(watchOf({ endpoint: 'heart', name: 'blue', properties: { 'batchpoint.recursive': 'true' } }, STORES)).toBe(
      undefined,
    );
  });

  it('has defaults, and a folder whether or not its prefix ends like one', () => {
    const whole = {
      endpoint: 'heart',
      deployment: 'blue',
      datastore: 'main',
      prefix: 'incoming/today/',
      pattern: '*',
      maxFiles: 100,
      maxWaitSeconds: 30,
    };
    expect(read({ prefix: 'incoming/today' })).toEqual(whole);
    expect(read({ prefix: 'incoming/today/' }, 'BATCHPOINT.Watch')).toEqual(whole);
  });

  it.each([
    [{ datastore: 'SECOND' }, 'second'],
    [{ container: 'more' }, 'second'],
    [{ datastore: 'twin2' }, 'Twin2'],
    [{ datastore: 'twin2', container: 'same' }, 'Twin2'],
  ])('finds its datastore by %j', (named, found) => {
    expect(read({ ...named, prefix: 'in' })?.datastore).toBe(found);
  });

  it.each<[unknown, string]>([
    ['incoming/', 'properties.properties.batchpoint.watch: must be JSON, such as {"prefix":"incoming/"}'],
    ['[]', 'properties.properties.batchpoint.watch: must be of type object'],
    [{}, 'properties.properties.batchpoint.watch.prefix: is required'],
    [{ prefix: '' }, 'batchpoint.watch.prefix: '],
    [{ prefix: '/' }, "batchpoint.watch.prefix: '/' begins with a slash"],
    [{ prefix: 'a/../b' }, "batchpoint.watch.prefix: 'a/../b' has a segment '.' or '..'"],
    [{ prefix: 'a//b' }, "batchpoint.watch.prefix: 'a//b' has an empty segment"],
    [{ prefix: 'ü'.repeat(400) }, 'batchpoint.watch.prefix: its URI would be longer than 2048 characters'],
    [{ prefix: 'azureml' }, "batchpoint.watch.prefix: jobs write below 'azureml/' and would start each other"],
    [{ prefix: 'azureml/x/score' }, "jobs write below 'azureml/'"],
    // Another name of the default datastore's container.
    [{ datastore: 'alias', prefix: 'azureml/x' }, "jobs write below 'azureml/'"],
    // The logs of ended jobs are copied there.
    [{ container: 'azureml', prefix: 'ExperimentRun/dcid.x' }, "jobs write below 'ExperimentRun/'"],
    [{ prefix: 'in', maxFiles: 0 }, 'batchpoint.watch.maxFiles: must be at least 1'],
    [{ prefix: 'in', maxFiles: 1001 }, 'batchpoint.watch.maxFiles: must be at most 1000'],
    [{ prefix: 'in', maxWaitSeconds: 0.5 }, 'batchpoint.watch.maxWaitSeconds: must be a whole number'],
    [{ prefix: 'in', pattern: 'a/*.csv' }, 'batchpoint.watch.pattern: is for the name of a file'],
    [{ prefix: 'in', maxfiles: 5 }, 'maxfiles'],
    [{ prefix: 'in', datastore: 'nowhere' }, "batchpoint.watch: there is no datastore 'nowhere' in this workspace"],
    [{ prefix: 'in', container: 'nowhere' }, "there is no container 'nowhere' in this workspace"],
    [{ prefix: 'in', datastore: 'main', container: 'more' }, "there is no datastore 'main' with container 'more'"],
    [{ prefix: 'in', container: 'same' }, "several datastores have container 'same'; name the datastore"],
  ])('is refused when it reads %j', (watch, reason) => {
    expect(() => read(watch)).toThrow(reason);
  });

  it('may watch what is called azureml where no job writes by default', () => {
    expect(read({ datastore: 'second', prefix: 'azureml' })?.prefix).toBe('azureml/');
  });

  it('may not be given twice', () => {
    const properties = { 'batchpoint.watch': '{"prefix":"a"}', 'Batchpoint.Watch': '{"prefix":"b"}' };
    expect(() => watchOf({ endpoint: 'heart', name: 'blue', properties }, STORES)).toThrow('is given twice');
  });

  it.each([
    ['in/a.csv', true],
    ['in/deep/a.csv', true],
    ['in/a.CSV', false],
    ['in/a.csv/', false],
    ['in/', false],
    ['inn/a.csv', false],
    ['x/in/a.csv', false],
    ['in/csv', false],
  ])('of in/ for *.csv has %s: %s', (path, expected) => {
    const watch = read({ prefix: 'in', pattern: '*.csv' });
    expect(watch && isWatched(watch, path)).toBe(expected);
  });
});

describe('a pattern', () => {
  it.each([
    ['', '*', true],
    ['', '?', false],
    ['abc', 'abc', true],
    ['abc', 'ab', false],
    ['abc', 'a?c', true],
    ['abc', 'a*', true],
    ['abc', '*c', true],
    ['abc', 'a*c*', true],
    ['abc', '*b', false],
    ['a.b.csv', '*.csv', true],
    ['mississippi', 'm*iss*ppi', true],
    ['mississippi', 'm*issx*', false],
    ['a+b', 'a+b', true],
    ['ab', 'a**b', true],
  ])('%j fits %j: %s', (name, pattern, expected) => {
    expect(matchesGlob(name, pattern)).toBe(expected);
  });

  it('made to take for ever ends at once', () => {
    expect(matchesGlob('a'.repeat(1024), `${'*a'.repeat(49)}b`)).toBe(false);
  });
});

describe('bounded work', () => {
  it.each([0, 1, 5, 40])('answers %d items in their order, and never does more than 4 at once', async (count) => {
    let open = 0;
    let most = 0;
    const items = Array.from({ length: count }, (_, n) => n);
    const answers = await mapBounded(items, 4, async (n) => {
      most = Math.max(most, (open += 1));
      for (let turns = 0; turns < (n * 7) % 5; turns++) await Promise.resolve();
      open -= 1;
      return n * 2;
    });
    expect(answers).toEqual(items.map((n) => n * 2));
    expect(most).toBe(Math.min(count, 4));
  });

  it('throws the first fault', async () => {
    await expect(
      mapBounded([1, 2, 3], 2, async (n) => {
        if (n === 2) throw new Error('two');
        return n;
      }),
    ).rejects.toThrow('two');
  });
});
