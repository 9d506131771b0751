import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { numericCsv } from './data.ts';
import type { Figure } from './figure.ts';
import { LOOP_DELAY, LoopDelay } from './loop-delay-message.ts';
import { scoringApp, type JobSettings, type ScoringApp } from './scoring-app.ts';

const ROWS_OF_100_MB = 900_000;

/** Peak memory of the app's process over one file of 100 MB and one of 1 GB, and how late its event loop runs meanwhile. */
export async function memory(keyFile: string, add: (figure: Figure) => void): Promise<void> {
  const small = await peak(keyFile, 1);
  const large = await peak(keyFile, 10);
  add({ name: 'rss_mb_100mb', value: small.rssMb, unit: 'MB', target: { atMost: 400 } });
  add({ name: 'rss_mb_1gb', value: large.rssMb, unit: 'MB', target: { atMost: Math.min(400, small.rssMb * 1.15) } });
  add({ name: 'loop_delay_ms_p99', value: large.loopDelayMs, unit: 'ms', target: { atMost: 50 } });
}

/** A job over one file of so many times 100 MB, on an app of its own. */
export async function peak(
  keyFile: string,
  hundreds: number,
  settings?: JobSettings,
): Promise<{ rssMb: number; loopDelayMs: number }> {
  const preload = fileURLToPath(new URL('./loop-delay.ts', import.meta.url));
  const app = await scoringApp(keyFile, { execArgv: ['--import', preload] });
  try {
    await stage(app, hundreds);
    await loopDelay(app);
    await app.run('mlp', 'large/', settings);
    return { rssMb: await peakRss(app.stack.host.pid), loopDelayMs: await loopDelay(app) };
  } finally {
    await app.stop();
  }
}

/** One blob of the same piece again and again; the header of each but the first is cut off. */
async function stage(app: ScoringApp, pieces: number): Promise<void> {
  const piece = numericCsv(ROWS_OF_100_MB);
  const blob = app.data.getBlockBlobClient('large/a.csv');
  const ids: string[] = [];
  for (let index = 0; index < pieces; index++) {
    const body = index === 0 ? piece : piece.subarray(piece.indexOf('\n') + 1);
    const id = Buffer.from(String(index).padStart(6, '0')).toString('base64');
    await blob.stageBlock(id, body, body.length);
    ids.push(id);
  }
  await blob.commitBlockList(ids);
}

/** The most that the process ever held, in MB (Linux only). */
async function peakRss(pid: number | undefined): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  const kilobytes = Number(/^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1]);
  if (!Number.isFinite(kilobytes)) throw new Error('the process tells no peak memory');
  return (kilobytes * 1024) / 1e6;
}

async function loopDelay(app: ScoringApp): Promise<number> {
  const answer = once(app.stack.host, 'message');
  app.stack.host.send(LOOP_DELAY);
  const message: unknown = (await answer)[0];
  return LoopDelay.parse(message).loopDelayMs;
}
