import type { Queue } from './ports.ts';
import { checkMessage, checkQueue } from './queue-rules.ts';

export interface MemoryQueues {
  (name: string): Queue;
  /** Takes what shows in a queue by now, oldest first: what a host would receive. */
  take(name: string): string[];
}

/** Queues in this process, for tests and benchmarks. `clock` decides which messages show. */
export function memoryQueues(clock: { now(): number } = Date): MemoryQueues {
  const queues = new Map<string, { text: string; showsAt: number }[]>();
  const messagesOf = (name: string) => {
    checkQueue(name);
    const messages = queues.get(name) ?? [];
    queues.set(name, messages);
    return messages;
  };
  const queue = (name: string): Queue => {
    const messages = messagesOf(name);
    return {
      async send(text, delaySeconds = 0) {
        checkMessage(text, delaySeconds);
        messages.push({ text, showsAt: clock.now() + delaySeconds * 1000 });
      },
    };
  };
  return Object.assign(queue, {
    take(name: string): string[] {
      const messages = messagesOf(name);
      const [due, later] = [true, false].map((isDue) =>
        messages.filter(({ showsAt }) => showsAt <= clock.now() === isDue),
      );
      messages.splice(0, messages.length, ...(later ?? []));
      return (due ?? []).map(({ text }) => text);
    },
  });
}
