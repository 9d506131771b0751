import { readFile } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { readHistories, writeHistories } from './histories.ts';
import { loadOrchestrations } from './orchestrations.ts';
import { recordHistories } from './record-histories.ts';

const hostJson = z.object({ extensions: z.object({ durableTask: z.object({ defaultVersion: z.string() }) }) });
const host: unknown = JSON.parse(await readFile(new URL('../../host.json', import.meta.url), 'utf8'));
const { defaultVersion } = hostJson.parse(host).extensions.durableTask;

const orchestrations = await loadOrchestrations();
// How to make the histories of a new version: test/fixtures/histories/README.md.
if (process.env['RECORD_HISTORIES'] === '1') {
  await writeHistories(defaultVersion, await recordHistories(orchestrations, defaultVersion));
}
const histories = await readHistories();

describe('a history that was recorded is replayed to the same actions and the same end', () => {
  test.each(histories)('$file', async ({ orchestration, turn, state, version }) => {
    expect(turn.history).toContainEqual(expect.objectContaining({ EventType: 0, Version: version }));
    expect(await orchestrations.runOrchestrator(orchestration, JSON.stringify(turn))).toEqual({ state });
  });
});

test('every orchestration has histories of the current version', () => {
  const covered = histories.filter(({ version }) => version === defaultVersion);
  expect(new Set(covered.map(({ orchestration }) => orchestration))).toEqual(new Set(orchestrations.orchestrators));
});
