import { describe, expect, it } from 'vitest';
import type { Queue } from '../../shared/storage/ports.ts';
import { MAX_MESSAGE_BYTES } from '../../shared/storage/queue-rules.ts';

/** The queues of an adapter, and what a consumer of one of them receives now. */
export interface QueuesUnderTest {
  queue(name: string): Queue;
  receive(name: string): Promise<string[]>;
  /** Lets so much time pass. */
  pass(seconds: number): Promise<void>;
}

let drawn = 0;
const fresh = (): string => `contract-${(drawn += 1)}`;

/** What every adapter of the queues port must do. */
export function queuesContract(name: string, make: () => QueuesUnderTest): void {
  describe(`queues: ${name}`, () => {
    it('gives nothing before anything was sent', async () => {
      const { queue, receive } = make();
      const at = fresh();
      queue(at);
      expect(await receive(at)).toEqual([]);
    });

    it('gives a message back as it was sent', async () => {
      const { queue, receive } = make();
      const texts = ['{"a":"zwölf 12 ✓ <&> \\u0000"}', ' ', 'x'.repeat(MAX_MESSAGE_BYTES), 'ü'.repeat(100)];
      for (const text of texts) {
        const at = fresh();
        await queue(at).send(text);
        expect(await receive(at)).toEqual([text]);
      }
    });

    it('gives each of many messages once', async () => {
      const { queue, receive } = make();
      const at = fresh();
      const texts = Array.from({ length: 40 }, (_, n) => `message ${n}`);
      await Promise.all(texts.map((text) => queue(at).send(text)));
      expect((await receive(at)).sort()).toEqual([...texts].sort());
      expect(await receive(at)).toEqual([]);
    });

    it('keeps equal messages apart, and queues apart', async () => {
      const { queue, receive } = make();
      const [one, other] = [fresh(), fresh()];
      await queue(one).send('same');
      await queue(one).send('same');
      await queue(other).send('different');
      expect(await receive(one)).toEqual(['same', 'same']);
      expect(await receive(other)).toEqual(['different']);
    });

    it('keeps a delayed message back until its time has come', async () => {
      const { queue, receive, pass } = make();
      const at = fresh();
      await queue(at).send('later', 2);
      await queue(at).send('now');
      expect(await receive(at)).toEqual(['now']);
      await pass(2);
      expect(await receive(at)).toEqual(['later']);
    });

    it.each(['', 'a', 'Upper', 'under_score', '-edge', 'edge-', 'two--hyphens', 'x'.repeat(64)])(
      'refuses the queue name %j',
      (at) => {
        expect(() => make().queue(at)).toThrow('not a queue name');
      },
    );

    it('refuses what storage cannot hold, and sends nothing then', async () => {
      const { queue, receive } = make();
      const at = fresh();
      await expect(queue(at).send('')).rejects.toThrow('says nothing');
      await expect(queue(at).send('x'.repeat(MAX_MESSAGE_BYTES + 1))).rejects.toThrow(`at most ${MAX_MESSAGE_BYTES}`);
      await expect(queue(at).send('ü'.repeat(MAX_MESSAGE_BYTES / 2 + 1))).rejects.toThrow('bytes');
      for (const delay of [-1, 0.5, 604_801, NaN])
        await expect(queue(at).send('x', delay)).rejects.toThrow('whole seconds');
      expect(await receive(at)).toEqual([]);
    });
  });
}
