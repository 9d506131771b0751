import { sha256 } from '../blocks.ts';
import { canonical } from '../canonical.ts';
import type { PlannedStep } from './plan-pipeline.ts';

/**
 * What a step's result follows from: equal identities have equal results, if the component says that it is deterministic. In it is
 * all that the command can see: what it is, its code and environment by content, its literals, and its inputs by version or by
 * the hash of the step that made them. Not in it is what the command cannot see or what tells nothing about its result: names,
 * tags and descriptions, where outputs go, the compute, the time limit, the job.
 */
export interface StepIdentity {
  /** The step, its inputs aside. */
  readonly step: Pick<PlannedStep, 'component' | 'environmentVariables' | 'overrides'>;
  /** What the code is: the hash of its files, or its version where versions never change. Null: none. */
  readonly code: string | null;
  /** What the environment is: its version, or the hash of what it is made of. Null: the app's own. */
  readonly environment: string | null;
  /** By name, those that were given. */
  readonly inputs: Readonly<Record<string, InputIdentity>>;
}

export type InputIdentity =
  | { readonly literal: string }
  /** An asset's version, or the ETags and names of the files of a place, hashed. */
  | { readonly files: string }
  /** The output of a step, by that step's own hash. */
  | { readonly stepHash: string; readonly output: string };

/** Bumped when steps come to run differently, so that no earlier result is taken. */
const FORM = 1;

/** 64 hex digits. */
export function stepHash({ step, code, environment, inputs }: StepIdentity): string {
  const { component, environmentVariables, overrides } = step;
  const what =
    component.type === 'command'
      ? { type: component.type, command: component.command }
      : {
          type: component.type,
          endpoint: component.endpoint.toLowerCase(),
          deployment: component.deployment?.toLowerCase() ?? null,
          overrides,
        };
  // A type decides how a result is looked at: a uri_file is one file.
  const outputs = Object.fromEntries(Object.entries(component.outputs).map(([name, { type }]) => [name, type]));
  return sha256(canonical({ form: FORM, what, outputs, environmentVariables, code, environment, inputs }));
}
