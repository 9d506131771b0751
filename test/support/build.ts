import { ensureBuilt } from '../../cli/build.ts';
import { PROJECT } from '../../cli/stack.ts';

/** vitest's global setup: the host loads the compiled app, so it is compiled once before any test. */
export default async function setup(): Promise<void> {
  await ensureBuilt(PROJECT, (text) => process.stdout.write(text));
}
