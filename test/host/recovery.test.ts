import { expect, test } from 'vitest';
import { createMemoryStore } from '../../local/durable/memory-store.ts';
import { createRecovery } from '../../local/durable/recovery.ts';
import type { Log } from '../../local/log.ts';

const quiet = (): void => undefined;
const log: Log = { info: quiet, warn: quiet, error: quiet, execution: quiet, app: quiet };

test('two loads of one instance: who needs it waits for both', async () => {
  const reads: PromiseWithResolvers<undefined>[] = [];
  const store = {
    ...createMemoryStore(),
    read: () => {
      const read = Promise.withResolvers<undefined>();
      reads.push(read);
      return read.promise;
    },
  };
  const recovery = createRecovery({ store, log, adopt: quiet, isStopped: () => false });
  recovery.reload('one');
  const first = recovery.settled('one');
  recovery.reload('one');
  reads[0]?.resolve(undefined);
  await first;
  let settled = false;
  const second = recovery.settled('one').then(() => (settled = true));
  await new Promise(setImmediate);
  expect(settled).toBe(false);
  reads[1]?.resolve(undefined);
  await second;
});
