import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { chaosFrom } from '../../local/durable/chaos.ts';
import { createEngine } from '../../local/durable/engine.ts';
import { EventType } from '../../local/durable/history.ts';
import type { FunctionRunner } from '../../local/durable/runner.ts';
import { createMemoryStore } from '../../local/durable/memory-store.ts';
import { isFinished } from '../../local/durable/store.ts';
import { createLog } from '../../local/log.ts';
import { RecordedHistory } from './histories.ts';
import { pipelineScenarios } from './pipeline-scenarios.ts';
import { scoringScenarios, type Answers } from './scoring-scenarios.ts';

const startSchema = z.object({ OrchestrationInstance: z.object({ ExecutionId: z.string() }) });

/** What is started for a scenario, with its input. */
export interface Start {
  readonly name: string;
  readonly input: object;
}

const scoring: Start = { name: 'scoreJob', input: { job: 'job-1', execution: 'execution-1' } };
const pipeline: Start = { name: 'runPipeline', input: { job: 'pipeline-1', execution: 'execution-1' } };

const scenarios: readonly { readonly name: string; readonly start: Start; readonly answers: Answers }[] = [
  ...Object.entries(scoringScenarios).map(([name, answers]) => ({ name, start: scoring, answers })),
  ...Object.entries(pipelineScenarios).map(([name, answers]) => ({ name, start: pipeline, answers })),
];

/**
 * Plays the scenarios through the engine and answers the last turn of every execution, by file name. Executions that
 * differ in nothing but ids and numbers are kept once.
 */
export async function recordHistories(
  orchestrations: FunctionRunner,
  version: string,
): Promise<Map<string, RecordedHistory>> {
  const played = await Promise.all(
    scenarios.map(async ({ name, start, answers }) => ({
      name,
      turns: await play(orchestrations, version, answers, start),
    })),
  );
  const recorded = new Map<string, RecordedHistory>();
  const seen = new Set<string>();
  for (const { name, turns } of played) {
    for (const [index, each] of turns.entries()) {
      const { orchestration, state, turn } = each;
      const known = JSON.stringify([orchestration, state]).replaceAll(/\d+/g, '#');
      const key = JSON.stringify([known, turn.history.map(({ EventType }) => EventType)]);
      if (!seen.has(key)) recorded.set(`${name}-${index}-${each.orchestration}`, each);
      seen.add(key);
    }
  }
  return recorded;
}

/** Runs one orchestration through the engine, and answers the last turn of every execution. */
export async function play(
  orchestrations: FunctionRunner,
  version: string,
  answers: Answers,
  { name, input }: Start,
): Promise<RecordedHistory[]> {
  const lastTurns = new Map<string, RecordedHistory>();
  const runner: FunctionRunner = {
    ...orchestrations,
    activities: Object.keys(answers),
    async runOrchestrator(orchestration, text) {
      const answer = await orchestrations.runOrchestrator(orchestration, text);
      const turn: unknown = JSON.parse(text);
      const recorded = RecordedHistory.parse({ orchestration, turn, state: answer.state });
      const start = recorded.turn.history.find((event) => event.EventType === EventType.executionStarted);
      lastTurns.set(startSchema.parse(start).OrchestrationInstance.ExecutionId, recorded);
      return answer;
    },
    async runActivity(name, input) {
      try {
        const result = answers[name]?.(z.looseObject({}).parse(JSON.parse(input ?? 'null')));
        return { ok: true, result: JSON.stringify(result) };
      } catch (error) {
        return { ok: false, message: error instanceof Error ? error.message : String(error), stack: '' };
      }
    },
  };
  const store = createMemoryStore();
  const limits = { maxConcurrentActivities: 2, maxConcurrentOrchestrators: 10, defaultVersion: version };
  const log = createLog({ default: 'none' }, false);
  const engine = createEngine({ store, runner, log, chaos: chaosFrom({}), ...limits });
  const { instanceId } = await engine.start({ name, input: JSON.stringify(input) });
  for (;;) {
    const head = await store.readHead(instanceId);
    if (head === undefined || isFinished(head.status)) break;
    await sleep(20);
  }
  engine.stop();
  return [...lastTurns.values()];
}
