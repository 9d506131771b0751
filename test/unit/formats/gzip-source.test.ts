import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { gunzipped } from '../../../shared/formats/gzip-source.ts';
import type { ChunkSource } from '../../../shared/formats/record-reader.ts';
import { memorySource } from '../../support/memory-source.ts';

const text = Array.from({ length: 50_000 }, (_, row) => `${row},${row * 7}\n`).join('');
const packed = gzipSync(text);

async function unpack(source: ChunkSource): Promise<string> {
  const pieces: Uint8Array[] = [];
  for (let piece = await source.next(); piece; piece = await source.next()) pieces.push(Uint8Array.from(piece));
  source.close();
  return Buffer.concat(pieces).toString();
}

test.each([19, 999, 1_000_000])('a file is unpacked from chunks of %d bytes', async (chunk) => {
  const source = memorySource(packed, chunk);
  expect(await unpack(gunzipped(source))).toBe(text);
  expect(source.closed).toBe(true);
});

test('several members are one file', async () => {
  const members = Buffer.concat([gzipSync('a,b\n'), gzipSync('1,2\n')]);
  expect(await unpack(gunzipped(memorySource(members, 3)))).toBe('a,b\n1,2\n');
});

test('no more is read than is asked for', async () => {
  let seed = 1;
  const noise = Uint8Array.from({ length: 4e6 }, () => (seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0) >>> 24);
  const source = memorySource(gzipSync(noise), 10_000);
  const unpacked = gunzipped(source);
  await unpacked.next();
  await new Promise((resolve) => setTimeout(resolve, 50));
  const { chunks } = source.asked;
  expect(chunks * 10_000).toBeLessThan(source.length / 2);
  unpacked.close();
});

describe('faults', () => {
  test.each([
    ['cut short', packed.subarray(0, packed.length - 100)],
    ['not gzip', Buffer.from('a,b\n1,2\n')],
    ['damaged', Buffer.concat([packed.subarray(0, 5000), Buffer.alloc(100, 0x55), packed.subarray(5100)])],
  ])('a file that is %s', async (_, bytes) => {
    await expect(unpack(gunzipped(memorySource(bytes)))).rejects.toMatchObject({ name: 'FileFault', code: 'BadGzip' });
  });

  test('a bomb is stopped when it unpacks to more than the limits', async () => {
    const bomb = gzipSync(Buffer.alloc(20e6));
    const limits = { ratio: 200, freeBytes: 5e6, bytes: 1e9 };
    const fault = { name: 'FileFault', code: 'GzipBomb' };
    await expect(unpack(gunzipped(memorySource(bomb), limits))).rejects.toMatchObject(fault);
    await expect(
      unpack(gunzipped(memorySource(bomb), { ...limits, freeBytes: 1e9, bytes: 1e7 })),
    ).rejects.toMatchObject(fault);
    expect(await unpack(gunzipped(memorySource(bomb), { ...limits, freeBytes: 20e6 }))).toHaveLength(20e6);
  });

  test('an error of the source is thrown as it is', async () => {
    const lost = new Error('connection lost');
    const source = memorySource(packed, 1000);
    const next = async () => (source.asked.chunks > 5 ? Promise.reject(lost) : source.next());
    await expect(unpack(gunzipped({ next, close: () => source.close() }))).rejects.toBe(lost);
  });
});
