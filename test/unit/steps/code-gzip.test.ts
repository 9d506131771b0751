import { gzipSync } from 'node:zlib';
import { expect, it } from 'vitest';
import { namesAndContents } from '../../support/code-engine.ts';
import { asGzip, codeWorlds } from '../../support/code-world.ts';

const worlds = codeWorlds();

it('a file that unpacks to far more than its size fails alone, before it fills the disk', async () => {
  const world = worlds.world(namesAndContents, { faulty: asGzip });
  await world.data.ensureContainer('data');
  const bomb = gzipSync(Buffer.alloc(80 * 1024 ** 2));
  await world.data.write({ container: 'data', name: 'in/a.csv' }, bomb);
  await world.data.write({ container: 'data', name: 'in/b.csv' }, gzipSync('text'));
  await world.accept('job', { miniBatchSize: 2 });
  expect(await world.run('job')).toMatchObject({
    totals: { filesDone: 1, filesFailed: 1 },
    failures: [{ file: 'a.csv', code: 'GzipBomb', attempts: 1 }],
  });
  expect(await world.text('out/predictions.csv')).toBe('prediction\nb.csv text\n');
});
