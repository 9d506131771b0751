import { EventType, type EventBody, type HistoryEvent } from './history.ts';
import type { InstanceHead } from './store.ts';

export interface StatusOptions {
  readonly showInput: boolean;
  /** Absent when the history is not asked for. */
  readonly history?: readonly HistoryEvent[];
  readonly showHistoryOutput: boolean;
}

/** The status object of the HTTP API (EXT HttpApiHandler). The history's name is `historyEvents`, as there. */
export function statusOf(head: InstanceHead, { showInput, history, showHistoryOutput }: StatusOptions): object {
  return {
    name: head.name,
    instanceId: head.instanceId,
    runtimeStatus: head.status,
    input: showInput ? parsedText(head.input) : null,
    customStatus: parsedText(head.customStatus),
    output: parsedText(head.output),
    createdTime: toSeconds(head.createdTime),
    lastUpdatedTime: toSeconds(head.lastUpdatedTime),
    ...(history === undefined
      ? {}
      : { historyEvents: history.filter(isShown).map((event) => show(event, showHistoryOutput)) }),
  };
}

/** yyyy-MM-ddTHH:mm:ssZ: the real API has no fractions. */
function toSeconds(time: string): string {
  return time.replace(/\.\d+Z$/, 'Z');
}

/** Text that is not JSON (the output of a failed or terminated instance) is shown as it is. */
export function parsedText(text: string | null): unknown {
  if (text === null) return null;
  try {
    return JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) return text;
    throw error;
  }
}

function isShown(event: EventBody): boolean {
  return event.EventType !== EventType.orchestratorStarted && event.EventType !== EventType.orchestratorCompleted;
}

const names: Readonly<Record<EventBody['EventType'], string>> = {
  [EventType.executionStarted]: 'ExecutionStarted',
  [EventType.executionCompleted]: 'ExecutionCompleted',
  [EventType.executionTerminated]: 'ExecutionTerminated',
  [EventType.taskScheduled]: 'TaskScheduled',
  [EventType.taskCompleted]: 'TaskCompleted',
  [EventType.taskFailed]: 'TaskFailed',
  [EventType.subOrchestrationCreated]: 'SubOrchestrationInstanceCreated',
  [EventType.subOrchestrationCompleted]: 'SubOrchestrationInstanceCompleted',
  [EventType.subOrchestrationFailed]: 'SubOrchestrationInstanceFailed',
  [EventType.timerCreated]: 'TimerCreated',
  [EventType.timerFired]: 'TimerFired',
  [EventType.orchestratorStarted]: 'OrchestratorStarted',
  [EventType.orchestratorCompleted]: 'OrchestratorCompleted',
  [EventType.eventSent]: 'EventSent',
  [EventType.eventRaised]: 'EventRaised',
  [EventType.genericEvent]: 'GenericEvent',
  [EventType.executionSuspended]: 'ExecutionSuspended',
  [EventType.executionResumed]: 'ExecutionResumed',
};

function show(event: HistoryEvent, withOutput: boolean): object {
  const { EventType: type, ...fields } = event;
  const entries = Object.entries(fields).filter(([name]) => withOutput || (name !== 'Result' && name !== 'Input'));
  return { EventType: names[type], ...Object.fromEntries(entries) };
}
