import { median } from '../figure.ts';
import type { JobSettings, ScoringApp } from '../scoring-app.ts';
import { race, type Side } from './race.ts';
import { assertSamePredictions } from './same-predictions.ts';
import type { Workbench } from './workbench.ts';

/** One job of ours against peers that score the same input from the same storage. */
export interface Contest {
  readonly name: string;
  readonly app: ScoringApp;
  readonly endpoint: string;
  /** Path of the model's file. */
  readonly model: string;
  /** Prefix of the input. */
  readonly folder: string;
  readonly settings: JobSettings;
  /** How many times as fast as each we must be; the peer's script is `<name>_peer.py`, or the side is in `others`. */
  readonly targets: Readonly<Record<string, number>>;
  /** Sides without an output. */
  readonly others?: Readonly<Record<string, Side>>;
  /** How far predictions may be from ours. */
  readonly tolerance?: number;
}

/** Adds a line for each target: the median of the rounds' ratios. */
export async function contest(bench: Workbench, given: Contest): Promise<void> {
  const { name, app, endpoint, folder, model, settings, others = {} } = given;
  const against = Object.entries(given.targets).filter(([peer]) => bench.peers.has(peer));
  const output = (peer: string): string => `peers/${name}/${peer}.csv`;
  let ours = '';
  const sides = new Map<string, Side>([
    [
      'ours',
      async () => {
        const { seconds, job } = await app.run(endpoint, folder, settings);
        ours = `azureml/${job.name}/score/predictions.csv`;
        return seconds;
      },
    ],
    ...against.map(([peer]): [string, Side] => {
      const other = others[peer];
      if (other) return [peer, other];
      const script = bench.peer(`${peer}_peer`, app);
      return [peer, () => script.round({ folder, model, output: output(peer) })];
    }),
  ]);
  const check = async (): Promise<void> => {
    const read = async (path: string): Promise<string> =>
      (await app.data.getBlobClient(path).downloadToBuffer()).toString('utf8');
    for (const [peer] of against)
      if (!others[peer]) assertSamePredictions(await read(ours), await read(output(peer)), peer, given.tolerance);
  };
  const seconds = await race(sides, bench.rounds, check, (line) => bench.say(`${name}, ${line}`));
  const own = seconds.get('ours') ?? [];
  for (const [peer, atLeast] of against) {
    const theirs = seconds.get(peer) ?? [];
    const value = median(theirs.map((taken, round) => taken / (own[round] ?? Number.NaN)));
    bench.add({
      figure: { name: `${name}_vs_${peer}`, value, unit: 'ratio', target: { atLeast } },
      against: peer,
      ours: `${median(own).toFixed(2)} s`,
      peer: `${median(theirs).toFixed(2)} s`,
    });
  }
}
