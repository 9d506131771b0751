import { setTimeout as wait } from 'node:timers/promises';
import { z } from 'zod';
import { evaluate, type AdfScope } from './adf-expression.ts';

const Expression = z.object({ value: z.string(), type: z.literal('Expression') });
const Text = z.union([z.string(), Expression]);
const Common = { name: z.string(), dependsOn: z.array(z.object({ activity: z.string() })) };

const WebActivity = z.object({
  ...Common,
  type: z.literal('WebActivity'),
  typeProperties: z.object({
    method: z.enum(['GET', 'POST']),
    url: Text,
    headers: z.record(z.string(), Text),
    body: Text.optional(),
  }),
});
const Wait = z.object({
  ...Common,
  type: z.literal('Wait'),
  typeProperties: z.object({ waitTimeInSeconds: Expression }),
});
const Fail = z.object({
  ...Common,
  type: z.literal('Fail'),
  typeProperties: z.object({ message: Text, errorCode: Text }),
});
const Until = z.object({
  ...Common,
  type: z.literal('Until'),
  typeProperties: z.object({ expression: Expression, activities: z.array(z.union([WebActivity, Wait])) }),
});
const IfCondition = z.object({
  ...Common,
  type: z.literal('IfCondition'),
  typeProperties: z.object({ expression: Expression, ifFalseActivities: z.array(Fail) }),
});
const Activity = z.discriminatedUnion('type', [WebActivity, Wait, Fail, Until, IfCondition]);
type Activity = z.infer<typeof Activity>;

/** The part of a Data Factory pipeline that our template uses. */
export const Pipeline = z.object({
  name: z.string(),
  properties: z.object({
    parameters: z.record(z.string(), z.object({ type: z.string(), defaultValue: z.unknown().optional() })),
    activities: z.array(Activity),
  }),
});
export type Pipeline = z.infer<typeof Pipeline>;

/** Ends a run, as the activity `Fail` does. */
export class PipelineFailed extends Error {}

/** Runs a pipeline; answers the output of each activity. Waits are a hundredth as long as they say. */
export async function runPipeline(
  { properties }: Pipeline,
  given: Readonly<Record<string, unknown>>,
): Promise<ReadonlyMap<string, unknown>> {
  const outputs = new Map<string, unknown>();
  const parameters: Record<string, unknown> = {};
  for (const [name, { defaultValue }] of Object.entries(properties.parameters))
    parameters[name] = given[name] ?? defaultValue;
  const scope: AdfScope = { parameters, outputs };
  const text = (from: z.infer<typeof Text>): unknown => evaluate(typeof from === 'string' ? from : from.value, scope);

  async function runAll(activities: readonly Activity[]): Promise<void> {
    const done = new Set<string>();
    for (const activity of activities) {
      const early = activity.dependsOn.find((one) => !done.has(one.activity));
      if (early) throw new Error(`'${activity.name}' comes before '${early.activity}'`);
      await run(activity);
      done.add(activity.name);
    }
  }

  async function run(activity: Activity): Promise<void> {
    switch (activity.type) {
      case 'WebActivity':
        outputs.set(activity.name, await call(activity));
        return;
      case 'Wait':
        return wait(Number(text(activity.typeProperties.waitTimeInSeconds)) * 10);
      case 'Fail':
        throw new PipelineFailed(String(text(activity.typeProperties.message)));
      case 'Until':
        do await runAll(activity.typeProperties.activities);
        while (text(activity.typeProperties.expression) !== true);
        return;
      case 'IfCondition':
        if (text(activity.typeProperties.expression) !== true) await runAll(activity.typeProperties.ifFalseActivities);
    }
  }

  async function call({ name, typeProperties }: z.infer<typeof WebActivity>): Promise<unknown> {
    const { method, url, headers, body } = typeProperties;
    const response = await fetch(String(text(url)), {
      method,
      headers: Object.fromEntries(Object.entries(headers).map(([header, value]) => [header, String(text(value))])),
      ...(body === undefined ? {} : { body: String(text(body)) }),
    });
    if (!response.ok) throw new PipelineFailed(`'${name}' got ${response.status}: ${await response.text()}`);
    return response.json();
  }

  await runAll(properties.activities);
  return outputs;
}
