import { join } from 'node:path';
import { scoringApp, type JobSettings, type ScoringApp } from '../scoring-app.ts';
import { pythonPeer, type PythonPeer } from './python-peer.ts';
import type { Line } from './table.ts';

/** What a measurement works with; what it starts is stopped for it. */
export interface Workbench {
  readonly keyFile: string;
  /** Counted rounds. */
  readonly rounds: number;
  /** Only these take part. */
  readonly peers: ReadonlySet<string>;
  /** Settings of our job over the one large file. */
  readonly oneFile: JobSettings;
  add(line: Line): void;
  /** Progress. */
  say(line: string): void;
  app(options?: Parameters<typeof scoringApp>[1]): Promise<ScoringApp>;
  peer(script: string, app: ScoringApp): PythonPeer;
  stopAll(): Promise<void>;
}

export function workbench(
  given: Pick<Workbench, 'keyFile' | 'rounds' | 'peers' | 'oneFile' | 'add' | 'say'>,
  { python, folder }: { readonly python: string; readonly folder: string },
): Workbench {
  const started: { stop(): Promise<void> }[] = [];
  return {
    ...given,
    async app(options) {
      const app = await scoringApp(given.keyFile, options);
      started.push(app);
      return app;
    },
    peer(script, { stack, data }) {
      const peer = pythonPeer(python, script, {
        STORAGE: stack.connectionString,
        CONTAINER: data.containerName,
        RAY_FOLDER: join(folder, 'ray'),
        // Its processes are this machine's alone: nothing in the user's home, and nobody is told.
        RAY_AUTH_MODE: 'disabled',
        RAY_USAGE_STATS_ENABLED: '0',
      });
      started.push(peer);
      return peer;
    },
    async stopAll() {
      // Peers before the storage that they use.
      for (const one of started.splice(0).reverse()) await one.stop();
    },
  };
}
