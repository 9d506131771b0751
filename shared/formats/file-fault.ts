/** Where in a file a fault shows. */
export interface FaultPlace {
  /** One-based line. */
  readonly line?: number | undefined;
  /** Byte offset, in the unpacked file, at which the record starts. */
  readonly offset?: number | undefined;
}

/** A file that cannot be read or scored as a whole (not CSV, wrong columns). The file fails; nothing is retried. */
export class FileFault extends Error {
  /** Stable word for programs, e.g. `NotCsv`, `MissingColumns`. */
  readonly code: string;
  readonly line: number | undefined;
  readonly offset: number | undefined;
  constructor(code: string, reason: string, place: FaultPlace = {}) {
    super(reason);
    this.name = 'FileFault';
    this.code = code;
    this.line = place.line;
    this.offset = place.offset;
  }
}

/** Runs what may throw a FileFault without knowing where in the file that is, and adds the place. */
export function withPlace<T>(place: FaultPlace, run: () => T): T {
  try {
    return run();
  } catch (error) {
    if (error instanceof FileFault) throw new FileFault(error.code, error.message, place);
    throw error;
  }
}
