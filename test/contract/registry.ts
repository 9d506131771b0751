import { beforeAll, describe, expect, it } from 'vitest';
import type { EndpointRecord, ModelRecord } from '../../shared/domain/resources.ts';
import type { Blobs, Table } from '../../shared/storage/ports.ts';
import { appKey } from '../../shared/storage/registry/app-key.ts';
import { allRecords } from '../../shared/storage/registry/collection.ts';
import { resourceRegistry, type Registry } from '../../shared/storage/registry/resources.ts';

const at = '2026-02-03T04:05:06.000Z';
const stored = { description: null, tags: {}, properties: {}, createdAt: at, createdBy: 't:o', modifiedAt: at };

export const endpoint = (name: string, tags: Record<string, string> = {}): EndpointRecord => ({
  name,
  ...stored,
  tags,
  defaultDeployment: null,
});

const model = (name: string, version: string, files = 1): ModelRecord => ({
  name,
  version,
  ...stored,
  isAnonymous: false,
  isArchived: false,
  content: {
    modelType: 'custom_model',
    modelUri: 'azureml://datastores/d/paths/m',
    flavors: { onnx: { data: 'model.onnx' } },
    jobName: null,
  },
  files: Array.from({ length: files }, (_, i) => ({ path: `part-${i}.onnx`, length: i })),
});

/** What the registry of resources promises over any adapters. */
export function registryContract(name: string, make: () => Promise<{ table: Table; blobs: Blobs }>): void {
  describe(`registry: ${name}`, () => {
    let storage: { table: Table; blobs: Blobs };
    let registry: Registry;
    beforeAll(async () => {
      storage = await make();
      registry = resourceRegistry(storage);
    });

    it('gives back what was created, whatever the case of the name, and only once', async () => {
      const record = endpoint('Heart-EP', { Team: 'Ü' });
      const created = await registry.endpoints.create(record);
      expect(created?.value).toEqual(record);
      expect(await registry.endpoints.get('heart-ep')).toEqual(created);
      expect(await registry.endpoints.create(endpoint('HEART-ep'))).toBeUndefined();
      expect((await registry.endpoints.get('Heart-EP'))?.value).toEqual(record);
    });

    it('replaces and removes only what was read', async () => {
      const first = await registry.endpoints.create(endpoint('changing'));
      const etag = first?.etag ?? '';
      const second = await registry.endpoints.replace(endpoint('changing', { a: '1' }), etag);
      expect(await registry.endpoints.replace(endpoint('changing', { a: '2' }), etag)).toBeUndefined();
      expect(await registry.endpoints.remove(endpoint('changing'), etag)).toBe(false);
      expect(await registry.endpoints.get('changing')).toEqual({
        value: endpoint('changing', { a: '1' }),
        etag: second?.etag,
      });
      expect(await registry.endpoints.remove(endpoint('changing'), second?.etag ?? '')).toBe(true);
      expect(await registry.endpoints.get('changing')).toBeUndefined();
      expect(await registry.endpoints.replace(endpoint('changing'), second?.etag ?? '')).toBeUndefined();
      expect(await registry.endpoints.remove(endpoint('changing'), second?.etag ?? '')).toBe(false);
    });

    it('keeps documents of any size, growing and shrinking', async () => {
      const large = endpoint('large', { text: 'ü'.repeat(100_000) });
      const created = await registry.endpoints.create(large);
      expect((await registry.endpoints.get('large'))?.value).toEqual(large);
      const small = await registry.endpoints.replace(endpoint('large'), created?.etag ?? '');
      expect((await registry.endpoints.get('large'))?.value).toEqual(endpoint('large'));
      await registry.endpoints.replace(large, small?.etag ?? '');
      expect((await registry.endpoints.get('large'))?.value).toEqual(large);
      const many = model('many-files', '1', 1000);
      await registry.models.create(many);
      expect((await registry.models.get('many-files', '1'))?.value).toEqual(many);
    });

    it('lists what belongs together in name order, page after page', async () => {
      for (const version of ['2', '1', '3']) await registry.models.create(model('Paged', version));
      await registry.models.create(model('paged-2', '1'));
      const versions: string[] = [];
      let continuation: string | undefined;
      do {
        const page = await registry.models.list(['paged'], 2, continuation);
        expect(page.records.length).toBeLessThanOrEqual(2);
        versions.push(...page.records.map(({ version }) => version));
        continuation = page.continuation;
      } while (continuation !== undefined);
      expect(versions).toEqual(['1', '2', '3']);
      const all: string[] = [];
      for await (const { version } of allRecords(registry.models, ['PAGED'] as const)) all.push(version);
      expect(all).toEqual(versions);
    });

    it.each(['', '..', 'a/b', 'a\\b', 'a#b', 'a?b', 'a b', 'x'.repeat(600), "a'b"])(
      'knows no resource of the name %.20j and lets none be made',
      async (name) => {
        expect(await registry.endpoints.get(name)).toBeUndefined();
        expect(await registry.deployments.get('heart-ep', name)).toBeUndefined();
        expect(await registry.deployments.get(name, 'blue')).toBeUndefined();
        expect(await registry.models.get(name, '1')).toBeUndefined();
        expect(await registry.models.get('m', name)).toBeUndefined();
        expect(await registry.models.list([name], 10)).toEqual({ records: [] });
        await expect(registry.endpoints.create(endpoint(name))).rejects.toThrow('not a resource name');
      },
    );

    it('has one signing key, whoever asks first', async () => {
      const [one, two] = await Promise.all([appKey(storage.blobs)(), appKey(storage.blobs)()]);
      const later = await appKey(storage.blobs)();
      expect(one).toHaveLength(32);
      expect([Buffer.compare(one, two), Buffer.compare(one, later)]).toEqual([0, 0]);
    });
  });
}
