import type { ScoringOverrides } from './scoring-task.ts';

/** What pipelines are made of, once it is read off the wire. Names are as the client wrote them and compare in any case. */

export const PATH_TYPES = ['uri_file', 'uri_folder', 'custom_model', 'mlflow_model', 'triton_model'] as const;
export type PathType = (typeof PATH_TYPES)[number];

export const LITERAL_TYPES = ['string', 'number', 'integer', 'boolean'] as const;
export type LiteralType = (typeof LITERAL_TYPES)[number];

export interface PathPort {
  readonly kind: 'path';
  readonly type: PathType;
  readonly optional: boolean;
  /** As a job wrote it that the component was made out of: a data URI, or a reference to a data asset or model. */
  readonly default?: string;
}

export interface LiteralPort {
  readonly kind: 'literal';
  /** `any` is a literal of a job, whose type nobody declared: the steps that take it say what it must be. */
  readonly type: LiteralType | 'any';
  readonly optional: boolean;
  /** Texts of the type, as a command gets them. */
  readonly default?: string;
  readonly enum?: readonly string[];
  readonly min?: number;
  readonly max?: number;
}

export type InputPort = PathPort | LiteralPort;

export interface OutputPort {
  readonly type: PathType;
  /** Of a pipeline: the step's output that becomes this one, where the output says so itself and not the step. */
  readonly from?: string;
}

/** An environment by reference, or one that is written out where it is used. */
export type EnvironmentSource =
  { readonly reference: string } | { readonly image: string | null; readonly condaFile: string | null };

interface Described {
  readonly name: string | null;
  readonly version: string | null;
  readonly displayName: string | null;
  readonly description: string | null;
  readonly tags: Readonly<Record<string, string>>;
  readonly inputs: Readonly<Record<string, InputPort>>;
  readonly outputs: Readonly<Record<string, OutputPort>>;
}

export interface CommandComponent extends Described {
  readonly type: 'command';
  readonly command: string;
  /** `azureml:<name>:<version>` or an ARM id. */
  readonly code: string | null;
  readonly environment: EnvironmentSource | null;
  readonly environmentVariables: Readonly<Record<string, string>>;
  readonly isDeterministic: boolean;
  readonly timeoutSeconds?: number;
}

/** The scoring of a folder by a deployment that is already there. */
export interface ParallelComponent extends Described {
  readonly type: 'parallel';
  readonly endpoint: string;
  /** Null is the endpoint's default, as it is when the step runs. */
  readonly deployment: string | null;
  /** The input that is scored and the output that the predictions go to. */
  readonly data: string;
  readonly score: string;
  readonly overrides: ScoringOverrides;
  readonly isDeterministic: boolean;
}

export interface PipelineComponent extends Described {
  readonly type: 'pipeline';
  readonly jobs: Readonly<Record<string, Step>>;
  /** The job that the component is made out of (`job_definition`); its own `jobs` are then empty. */
  readonly sourceJob?: string;
}

export type StepComponent = CommandComponent | ParallelComponent | PipelineComponent;

export type StepInput =
  /** A literal's text, which may hold `${{parent...}}`. */
  | { readonly kind: 'value'; readonly value: string }
  | { readonly kind: 'asset'; readonly type: PathType; readonly uri: string };

export interface StepOutput {
  /** `${{parent.outputs.x}}`. */
  readonly value?: string;
  readonly uri?: string;
  readonly type?: PathType;
}

/** One node of a pipeline. What it sets wins over its component. */
export interface Step {
  readonly type: 'command' | 'parallel' | 'pipeline';
  readonly displayName: string | null;
  readonly component: { readonly reference: string } | { readonly inline: StepComponent };
  readonly inputs: Readonly<Record<string, StepInput>>;
  readonly outputs: Readonly<Record<string, StepOutput>>;
  readonly compute: string | null;
  readonly environment: EnvironmentSource | null;
  readonly environmentVariables: Readonly<Record<string, string>>;
  readonly timeoutSeconds?: number;
  readonly overrides: ScoringOverrides;
}

/** Something wrong: the field's path, and a sentence without it. */
export interface Fault {
  readonly path: string;
  readonly message: string;
}
