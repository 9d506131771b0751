/** A file that cannot be read or scored as a whole (not CSV, wrong columns). The file fails; nothing is retried. */
export class FileFault extends Error {
  /** Stable word for programs, e.g. `NotCsv`, `MissingColumns`. */
  readonly code: string;
  /** One-based line of the file where the fault shows, when there is one. */
  readonly line: number | undefined;
  constructor(code: string, reason: string, line?: number) {
    super(reason);
    this.name = 'FileFault';
    this.code = code;
    this.line = line;
  }
}
