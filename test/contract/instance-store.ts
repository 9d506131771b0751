import { randomUUID } from 'node:crypto';
import { beforeAll, describe, expect, test } from 'vitest';
import type { HistoryEvent } from '../../local/durable/history.ts';
import { maxConsumed, type InstanceHead, type InstanceStore } from '../../local/durable/store.ts';
import { instancePagesContract } from './instance-pages.ts';
import { headOf, message, raised } from './instance-samples.ts';

/** What every store of instances keeps to; `open` gives an empty one. */
export function instanceStoreContract(name: string, open: () => Promise<InstanceStore>): void {
  describe(name, () => {
    let store: InstanceStore;
    beforeAll(async () => {
      store = await open();
    });

    const started = async (changes: Partial<InstanceHead> = {}): Promise<InstanceHead> => {
      const head = headOf(changes);
      expect(await store.create(head)).toEqual({});
      return head;
    };
    const running = (head: InstanceHead, changes: Partial<InstanceHead> = {}): InstanceHead => ({
      ...head,
      status: 'Running',
      ...changes,
    });

    test('a new instance has its head, no history and no messages', async () => {
      const parent = { name: 'p', instanceId: 'parent', executionId: 'pe', taskScheduledId: 3 };
      const head = await started({ parent, customStatus: '"x"' });
      expect(await store.readHead(head.instanceId)).toEqual(head);
      expect(await store.read(head.instanceId)).toEqual({ head, history: [], messages: [] });
    });

    test('an unknown instance is absent everywhere', async () => {
      expect(await store.readHead('unknown')).toBeUndefined();
      expect(await store.read('unknown')).toBeUndefined();
      expect(await store.addMessage('unknown', message('go'))).toBe('absent');
      expect(await store.remove('unknown')).toBe(false);
      await expect(
        store.commit({ head: headOf({ instanceId: 'unknown' }), newEvents: [], consumed: [] }),
      ).rejects.toThrow("The instance 'unknown' was removed while it was running.");
    });

    test('commits add to the history in order and replace the head', async () => {
      const head = await started();
      await store.commit({ head: running(head), newEvents: [raised('1'), raised('2')], consumed: [] });
      const next = running(head, { customStatus: '{"n":2}', lastUpdatedTime: '2026-11-21T07:00:01.000Z' });
      await store.commit({ head: next, newEvents: [raised('3', '"é𝄞\\n\'"')], consumed: [] });
      const history = [raised('1'), raised('2'), raised('3', '"é𝄞\\n\'"')];
      expect(await store.read(head.instanceId)).toEqual({ head: next, history, messages: [] });
    });

    test('the id of an unfinished instance is taken, that of a finished one begins anew', async () => {
      const head = await started();
      const second = { ...head, executionId: 'e2', input: '2' };
      expect(await store.create(second)).toEqual({ existing: 'Pending' });
      expect(await store.addMessage(head.instanceId, message('early'))).toBe('added');
      await store.commit({ head: running(head), newEvents: [raised('1')], consumed: [] });
      await store.commit({
        head: { ...head, status: 'Completed', output: '1' },
        newEvents: [raised('2')],
        consumed: [],
      });
      expect(await store.addMessage(head.instanceId, message('late'))).toBe('finished');
      expect(await store.create(second)).toEqual({});
      expect(await store.read(head.instanceId)).toEqual({ head: second, history: [], messages: [] });
      await store.commit({ head: running(second), newEvents: [raised('3')], consumed: [] });
      expect((await store.read(head.instanceId))?.history).toEqual([raised('3')]);
    });

    test('of two starts of one id at once, one is made', async () => {
      const head = headOf();
      const answers = await Promise.all(
        ['e1', 'e2', 'e3'].map((executionId) => store.create({ ...head, executionId })),
      );
      expect(answers.filter(({ existing }) => existing === undefined)).toHaveLength(1);
      expect(answers.filter(({ existing }) => existing === 'Pending')).toHaveLength(2);
    });

    test('messages stay, in order, until a commit consumes them', async () => {
      const head = await started();
      const messages = ['a', 'b', 'c'].map((name) => message(name, '1'));
      for (const each of messages) expect(await store.addMessage(head.instanceId, each)).toBe('added');
      expect((await store.read(head.instanceId))?.messages).toEqual(messages);
      const consumed = messages.slice(0, 2).map(({ messageId }) => messageId);
      await store.commit({ head: running(head), newEvents: [raised('a', '1'), raised('b', '1')], consumed });
      expect((await store.read(head.instanceId))?.messages).toEqual(messages.slice(2));
    });

    test('the most messages a commit may consume', async () => {
      const head = await started();
      const messages = Array.from({ length: maxConsumed }, (_, n) => message('go', String(n)));
      for (const each of messages) await store.addMessage(head.instanceId, each);
      const newEvents = messages.map((_, n) => raised('go', String(n)));
      await store.commit({ head: running(head), newEvents, consumed: messages.map(({ messageId }) => messageId) });
      expect(await store.read(head.instanceId)).toEqual({ head: running(head), history: newEvents, messages: [] });
    });

    test('a commit may come twice', async () => {
      const head = await started();
      const sent = message('go');
      await store.addMessage(head.instanceId, sent);
      const commit = { head: running(head), newEvents: [raised('go')], consumed: [sent.messageId] };
      await store.commit(commit);
      await store.commit({ head: running(head, { executionId: 'e2' }), newEvents: [], consumed: [sent.messageId] });
      await store.commit({ head: running(head, { executionId: 'e2' }), newEvents: [raised('2')], consumed: [] });
      const stored = await store.read(head.instanceId);
      expect(stored).toEqual({ head: running(head, { executionId: 'e2' }), history: [raised('2')], messages: [] });
    });

    test('another execution begins an empty history, and so does a rewritten one', async () => {
      const head = await started();
      await store.commit({ head: running(head), newEvents: [raised('1'), raised('2')], consumed: [] });
      const again = running(head, { executionId: 'e2', input: '2' });
      await store.commit({ head: again, newEvents: [], consumed: [] });
      expect(await store.read(head.instanceId)).toEqual({ head: again, history: [], messages: [] });
      await store.commit({ head: again, newEvents: [raised('3'), raised('4')], consumed: [] });
      const failed = { ...again, status: 'Failed', output: 'why' } as const;
      await store.commit({ head: failed, newEvents: [raised('5')], consumed: [] });
      await store.commit({ head: again, newEvents: [raised('3')], consumed: [], replacesHistory: true });
      await store.commit({ head: again, newEvents: [raised('6')], consumed: [] });
      expect(await store.read(head.instanceId)).toEqual({
        head: again,
        history: [raised('3'), raised('6')],
        messages: [],
      });
    });

    test('a history of 20,000 events in one commit, and one more after it', async () => {
      const head = await started();
      const many = Array.from({ length: 20_000 }, (_, n) =>
        raised(`event ${n}`, JSON.stringify({ n, text: '"'.repeat(40) })),
      );
      await store.commit({ head: running(head), newEvents: many, consumed: [] });
      await store.commit({ head: running(head), newEvents: [raised('last')], consumed: [] });
      expect(await store.read(head.instanceId)).toEqual({
        head: running(head),
        history: [...many, raised('last')],
        messages: [],
      });
    });

    test('texts of several megabytes: input, output, custom status, event and message', async () => {
      const large = (mark: string): string => JSON.stringify(mark + '語🙂\\'.repeat(400_000));
      const head = await started({ input: large('input') });
      expect(await store.readHead(head.instanceId)).toEqual(head);
      const sent = message('large', large('message'));
      await store.addMessage(head.instanceId, sent);
      expect((await store.read(head.instanceId))?.messages).toEqual([sent]);
      const commit = (changes: Partial<InstanceHead>, event: HistoryEvent, consumed: string[] = []) =>
        store.commit({ head: running(head, changes), newEvents: [event], consumed });
      await commit({ customStatus: large('one') }, raised('1', large('event')), [sent.messageId]);
      await commit({ customStatus: large('two') }, raised('2'));
      await commit({ customStatus: '"short"' }, raised('3'));
      const done = { customStatus: '"short"', status: 'Completed', output: large('output') } as const;
      await commit(done, raised('4'));
      const history = [raised('1', large('event')), raised('2'), raised('3'), raised('4')];
      expect(await store.read(head.instanceId)).toEqual({ head: running(head, done), history, messages: [] });
      expect(await store.readHead(head.instanceId)).toEqual(running(head, done));
      const { heads } = await store.heads({ idPrefix: head.instanceId });
      expect(heads).toEqual([running(head, done)]);
      const again = { ...head, executionId: 'e2', input: large('again') };
      expect(await store.create(again)).toEqual({});
      expect(await store.read(head.instanceId)).toEqual({ head: again, history: [], messages: [] });
    });

    test.each([
      'a b',
      "it's",
      '50%',
      'ä/ö\\ü#?',
      'e:12',
      '@counter@key',
      'i',
      '~hub',
      '日本🙂',
      'tab\there\u0085',
      '&=+;,$',
      'x'.repeat(2000),
    ])('the odd id %j', async (instanceId) => {
      const head = await started({ instanceId });
      const sent = message('go');
      await store.addMessage(instanceId, sent);
      await store.commit({ head: running(head), newEvents: [raised('go')], consumed: [sent.messageId] });
      expect(await store.read(instanceId)).toEqual({ head: running(head), history: [raised('go')], messages: [] });
      expect(await store.remove(instanceId)).toBe(true);
      expect(await store.readHead(instanceId)).toBeUndefined();
    });

    test('ids that differ only in case or in what is encoded are different instances', async () => {
      const ids = ['Case/1', 'case/1', 'case~2f~1', 'case_1'].map((id) => `${randomUUID()}${id}`);
      for (const instanceId of ids) await started({ instanceId, input: JSON.stringify(instanceId) });
      for (const instanceId of ids) {
        expect(await store.readHead(instanceId)).toMatchObject({ instanceId, input: JSON.stringify(instanceId) });
      }
    });

    test('what is removed is gone, with history and messages, and its id is free', async () => {
      const head = await started({ input: JSON.stringify('x'.repeat(100_000)) });
      await store.addMessage(head.instanceId, message('go'));
      await store.commit({ head: { ...head, status: 'Failed' }, newEvents: [raised('1')], consumed: [] });
      expect(await store.remove(head.instanceId)).toBe(true);
      expect(await store.read(head.instanceId)).toBeUndefined();
      expect(await store.remove(head.instanceId)).toBe(false);
      const next = await started({ instanceId: head.instanceId });
      expect(await store.read(head.instanceId)).toEqual({ head: next, history: [], messages: [] });
    });
  });
  instancePagesContract(name, open);
}
