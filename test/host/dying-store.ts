import type { InstanceStore } from '../../local/durable/store.ts';

export class Death extends Error {}

/** Whether the write at which a host dies has been done. */
export type DeathMoment = 'before' | 'after';

/** A store whose host dies at a write: before it is done, or when it is done and not yet answered. */
export function dyingStore(store: InstanceStore, deathAt: number, moment: DeathMoment, onDeath: () => void) {
  let writes = 0;
  let dead = false;
  const dying =
    <A extends unknown[], R>(write: (...args: A) => Promise<R>) =>
    async (...args: A): Promise<R> => {
      if (dead) throw new Death();
      writes += 1;
      if (writes !== deathAt) return write(...args);
      dead = true;
      if (moment === 'after') await write(...args);
      onDeath();
      throw new Death();
    };
  return { ...store, create: dying(store.create), commit: dying(store.commit), addMessage: dying(store.addMessage) };
}
