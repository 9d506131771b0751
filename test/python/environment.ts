import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { PROJECT } from '../../cli/stack.ts';
import { ensureVirtualEnvironment } from '../../cli/virtual-environment.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** An interpreter with the packages of requirements.txt. */
    readonly python: string;
  }
}

/** vitest's global setup: the packages are installed once. */
export default async function setup(project: TestProject): Promise<void> {
  const python = await ensureVirtualEnvironment({
    folder: join(PROJECT, '.venv-python'),
    requirements: join(PROJECT, 'test/python/requirements.txt'),
    purpose: 'pandas, scikit-learn and mlflow',
  });
  project.provide('python', python);
}
