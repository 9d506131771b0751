import { monitorEventLoopDelay } from 'node:perf_hooks';
import { LOOP_DELAY, type LoopDelay } from './loop-delay-message.ts';

/**
 * Loaded into the host's process before the app (`--import`): tells the parent, when asked, how late the event loop ran since
 * it was asked last.
 */
const histogram = monitorEventLoopDelay({ resolution: 5 });
histogram.enable();

process.on('message', (message) => {
  if (message !== LOOP_DELAY) return;
  const answer: LoopDelay = { loopDelayMs: histogram.percentile(99) / 1e6 };
  process.send?.(answer);
  histogram.reset();
});
