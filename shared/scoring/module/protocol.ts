import type { CodeOptions, LocalFile } from '../engine.ts';

export const LOGGING_LEVELS = ['Debug', 'Info', 'Warning'] as const;
export type LoggingLevel = (typeof LOGGING_LEVELS)[number];

/** Encoded rows are sent when there are so many bytes of them. */
export const PART_BYTES = 128 * 1024;
/** Parts between a worker process and whoever takes them. */
export const PARTS_IN_FLIGHT = 4;

export interface ModulePlace {
  /** Absolute folder of the code, and the module's path in it. */
  readonly codeFolder: string;
  readonly script: string;
  /** What `AZUREML_MODEL_DIR` says. */
  readonly modelFolder: string;
  readonly loggingLevel: LoggingLevel;
}

export type ToWorker =
  | ({ readonly kind: 'load' } & ModulePlace)
  | {
      readonly kind: 'run';
      readonly files: readonly LocalFile[];
      readonly outputFolder: string;
      readonly options: CodeOptions;
    }
  /** A part was taken: there is room for another. */
  | { readonly kind: 'taken' }
  /** The run's time is over: the module hears of it. */
  | { readonly kind: 'abort' };
