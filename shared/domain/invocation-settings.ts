import { z } from 'zod';
import { badRequest } from './errors.ts';
import { caselessEnum, caselessObject, numeric } from './caseless.ts';
import { ScoringSettings } from './settings.ts';

const rules = ScoringSettings.shape;

const DURATION = /^P(?:(\d{1,4})D)?(?:T(?=\d)(?:(\d{1,6})H)?(?:(\d{1,6})M)?(?:(\d{1,8}(?:\.\d{1,6})?)S)?)?$/i;

/** Seconds of an ISO 8601 duration such as `PT30S` or `PT1H30M`; undefined for anything else. */
export function parseDuration(text: string): number | undefined {
  const parts = DURATION.exec(text);
  if (!parts || parts.slice(1).every((part) => part === undefined)) return undefined;
  const [days, hours, minutes, seconds] = parts.slice(1).map((part) => Number(part ?? 0));
  return (((days ?? 0) * 24 + (hours ?? 0)) * 60 + (minutes ?? 0)) * 60 + (seconds ?? 0);
}

/** `PT30S`, `PT1M30S`, `PT1H`: as Azure ML writes a duration. */
export function formatDuration(seconds: number): string {
  const hours = Math.floor(seconds / 3600);
  const minutes = Math.floor((seconds % 3600) / 60);
  const rest = Number((seconds % 60).toFixed(6));
  const parts = [hours > 0 ? `${hours}H` : '', minutes > 0 ? `${minutes}M` : '', rest > 0 ? `${rest}S` : ''];
  return `PT${parts.join('') || '0S'}`;
}

const timeout = z.string().transform((text, context) => {
  const seconds = parseDuration(text);
  const wrong =
    seconds === undefined
      ? `must be an ISO 8601 duration such as PT30S, not '${text.slice(0, 40)}'`
      : rules.timeoutSeconds.unwrap().safeParse(seconds).success
        ? undefined
        : 'must be longer than nothing and at most a day';
  if (seconds === undefined || wrong !== undefined) {
    context.addIssue({ code: 'custom', message: wrong ?? 'is no duration', input: text });
    return z.NEVER;
  }
  return seconds;
});

/** The settings that a deployment and an invocation both have, under their wire names. */
export const settingsFields = {
  miniBatchSize: numeric(rules.miniBatchSize.unwrap()).optional(),
  maxConcurrencyPerInstance: numeric(rules.maxConcurrencyPerInstance.unwrap()).optional(),
  errorThreshold: numeric(rules.errorThreshold.unwrap()).optional(),
  outputFileName: rules.outputFileName.unwrap().optional(),
  loggingLevel: caselessEnum(rules.loggingLevel.unwrap().options).optional(),
  retrySettings: caselessObject({
    maxRetries: numeric(rules.maxRetries.unwrap()).optional(),
    timeout: timeout.optional(),
  }).optional(),
};

/** `resources` of a deployment, `compute` of an invocation. */
export const instanceFields = { instanceCount: numeric(rules.instanceCount.unwrap()).optional() };

interface WireSettings {
  readonly miniBatchSize?: number | undefined;
  readonly maxConcurrencyPerInstance?: number | undefined;
  readonly errorThreshold?: number | undefined;
  readonly outputFileName?: string | undefined;
  readonly outputAction?: ScoringSettings['outputAction'] | undefined;
  readonly loggingLevel?: ScoringSettings['loggingLevel'] | undefined;
  readonly retrySettings?:
    { readonly maxRetries?: number | undefined; readonly timeout?: number | undefined } | undefined;
}

/** Throws ApiError 400 for tries that would be killed with their worker: `maxSeconds` is what functionTimeout leaves (H4). */
export function checkTimeout({ timeoutSeconds }: ScoringSettings, maxSeconds: number): void {
  const target = 'properties.retrySettings.timeout';
  if (timeoutSeconds > maxSeconds)
    throw badRequest(
      `${target}: must be at most ${formatDuration(maxSeconds)}: one try of a mini-batch has to end within the app's functionTimeout (host.json).`,
      target,
    );
}

/** Lays what was sent over other settings; what was not sent stays. */
export function withSettings(
  base: ScoringSettings,
  wire: WireSettings,
  instanceCount: number | undefined,
): ScoringSettings {
  return {
    miniBatchSize: wire.miniBatchSize ?? base.miniBatchSize,
    maxConcurrencyPerInstance: wire.maxConcurrencyPerInstance ?? base.maxConcurrencyPerInstance,
    instanceCount: instanceCount ?? base.instanceCount,
    maxRetries: wire.retrySettings?.maxRetries ?? base.maxRetries,
    timeoutSeconds: wire.retrySettings?.timeout ?? base.timeoutSeconds,
    errorThreshold: wire.errorThreshold ?? base.errorThreshold,
    outputFileName: wire.outputFileName ?? base.outputFileName,
    outputAction: wire.outputAction ?? base.outputAction,
    loggingLevel: wire.loggingLevel ?? base.loggingLevel,
  };
}
