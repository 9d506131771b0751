import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { PROJECT } from '../../cli/stack.ts';
import { runTool } from './run-tool.ts';

it('shellcheck finds nothing in the scripts', async () => {
  const files = await readdir(join(PROJECT, 'infra'), { recursive: true });
  const scripts = files.filter((file) => file.endsWith('.sh')).map((file) => join('infra', file));
  expect(scripts.length).toBeGreaterThan(2);
  expect(await runTool('shellcheck', scripts)).toEqual({ code: 0, stdout: '', stderr: '' });
});
