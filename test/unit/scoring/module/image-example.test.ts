import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { PROJECT } from '../../../../cli/stack.ts';
import { moduleEngine } from '../../../../shared/scoring/module/engine.ts';
import { gather, temporaryFolder } from './code.ts';

const EXAMPLE = join(PROJECT, 'examples/image-classification');

describe('examples/image-classification', () => {
  it('tells what is on every picture', async () => {
    const names = (await readdir(join(EXAMPLE, 'data'))).sort();
    const engine = await moduleEngine({
      workers: 1,
      codeFolder: join(EXAMPLE, 'code'),
      script: 'score.ts',
      modelFolder: EXAMPLE,
      environmentVariables: {},
      loggingLevel: 'Info',
      idleMs: 60_000,
    });
    try {
      const { columns, text, printed } = await gather(
        engine,
        {
          files: names.map((name) => ({ name, path: join(EXAMPLE, 'data', name) })),
          outputFolder: await temporaryFolder(),
        },
        {},
      );
      expect(columns).toEqual(['file', 'label', 'probability']);
      const labels = text
        .trim()
        .split('\n')
        .map((line) => line.split(',').slice(0, 2).join(','));
      expect(labels).toEqual((await readFile(join(EXAMPLE, 'labels.csv'), 'utf8')).trim().split('\n').slice(1));
      expect(printed.map((line) => line.text)).toEqual(['INFO The model tells circle, square, triangle.']);
    } finally {
      await engine.close();
    }
  });
});
