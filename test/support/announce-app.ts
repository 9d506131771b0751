import build from './build.ts';
import { runningApp } from './running-app.ts';

/** Global setup of the end-to-end tests: says which app they test, and refuses half an address before any test runs. */
export default async function setup(): Promise<void> {
  const app = runningApp(process.env);
  process.stdout.write(`End to end: ${app?.description ?? 'an app of their own on the embedded host'}\n`);
  if (app === undefined) await build();
}
