export interface CsvOptions {
  /** One ASCII character. */
  readonly delimiter: string;
  /** Whether the first record names the columns. */
  readonly header: boolean;
  /** Longest record, line end included. Default 1 MiB. */
  readonly maxRecordBytes?: number;
}

/** The delimiter's byte. Throws RangeError for one that cannot be told from a number, a quote or a line end. */
export function delimiterByte(delimiter: string): number {
  const byte = delimiter.charCodeAt(0);
  if (delimiter.length !== 1 || byte > 126 || /[\w"\r\n\0.+-]/.test(delimiter)) {
    throw new RangeError(
      `A delimiter is one ASCII character that cannot be part of a number, got ${JSON.stringify(delimiter)}.`,
    );
  }
  return byte;
}
