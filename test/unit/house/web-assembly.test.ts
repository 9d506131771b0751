import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import wabt from 'wabt';
import { PLAIN_RECORDS } from '../../../shared/formats/plain-records-bytes.ts';
import { WALK } from '../../../shared/scoring/onnx/trees/walk-bytes.ts';

test.each([
  ['formats/plain-records', PLAIN_RECORDS],
  ['scoring/onnx/trees/walk', WALK],
])('%s-bytes.ts is %s.wat, compiled', async (path, bytes) => {
  const source = await readFile(new URL(`../../../shared/${path}.wat`, import.meta.url));
  const { buffer } = (await wabt()).parseWat(path, source).toBinary({});
  expect(bytes).toBe(Buffer.from(buffer).toString('base64'));
});
