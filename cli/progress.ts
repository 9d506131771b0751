import { setTimeout as wait } from 'node:timers/promises';
import type { Client, Job } from './client.ts';

const TERMINAL = new Set(['Completed', 'Failed', 'Canceled']);
const POLL_MS = 150;
const BAR = 24;

/** Follows a job to its end, with one line that is written over on a terminal and one line per change elsewhere. */
export async function follow(api: Client, endpoint: string, name: string, out: NodeJS.WriteStream): Promise<Job> {
  let last = '';
  for (;;) {
    const job = await api.job(endpoint, name);
    const line = progressLine(job);
    if (line !== last) out.write(out.isTTY ? `\r\u001b[K  ${line}` : `  ${line}\n`);
    last = line;
    if (TERMINAL.has(job.properties.status)) {
      if (out.isTTY) out.write('\n');
      return job;
    }
    await wait(POLL_MS);
  }
}

function progressLine({ properties }: Job): string {
  const number = (name: string): number => Number(properties.properties[`batchpoint.${name}`] ?? 0);
  const files = number('files');
  const done = number('filesDone') + number('filesFailed');
  const filled = files > 0 ? Math.round((BAR * done) / files) : 0;
  const rate = number('rowsPerSecond');
  // More of the input is being listed.
  const listing = properties.properties['batchpoint.listing'] === 'true' ? '+' : '';
  const left = properties.properties['batchpoint.secondsLeft'];
  return [
    properties.status.padEnd(11),
    '█'.repeat(filled) + '░'.repeat(BAR - filled),
    files > 0 ? `${done}/${files}${listing} files` : '',
    files > 0 ? `${number('rows').toLocaleString('en')} rows` : '',
    rate > 0 ? `${rate.toLocaleString('en')} rows/s` : '',
    left !== undefined && Number(left) > 0 ? `${left} s left` : '',
  ]
    .filter((part) => part !== '')
    .join('  ');
}
