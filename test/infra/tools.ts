import { execFile } from 'node:child_process';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import type { TestProject } from 'vitest/node';
import { PROJECT } from '../../cli/stack.ts';
import { ensureVirtualEnvironment } from '../../cli/virtual-environment.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** Folder of the programs: python, checkov, shellcheck. */
    infraTools: string;
    /** Syntax trees of the templates, as JSON. */
    infraTemplates: string;
  }
}

const MAX_OUTPUT = 64 * 1024 * 1024;

/**
 * vitest's global setup: installs checkov, its Bicep parser and shellcheck, and parses
 * the templates once. Rejects with the parser's words when one does not parse.
 */
export default async function setup(project: TestProject): Promise<void> {
  const python = await ensureVirtualEnvironment({
    folder: join(PROJECT, '.venv-infra'),
    requirements: join(PROJECT, 'test/infra/requirements.txt'),
    purpose: 'checkov',
  });
  project.provide('infraTools', dirname(python));
  const script = join(PROJECT, 'test/infra/read_bicep.py');
  const { stdout } = await promisify(execFile)(python, [script, join(PROJECT, 'infra')], { maxBuffer: MAX_OUTPUT });
  project.provide('infraTemplates', stdout);
}
