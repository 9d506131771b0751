/** A key under another key. */
export interface WrappedKey {
  /** Which key it is under, in its version. */
  readonly keyId: string;
  /** Base64. */
  readonly wrapped: string;
}

/** A key that never leaves its place, under which others can be put. Every adapter passes the same contract suite. */
export interface KeyWrapping {
  /** 32 bytes. */
  wrap(key: Uint8Array): Promise<WrappedKey>;
  /** Throws StorageFault for what was not wrapped here, or was changed since. */
  unwrap(key: WrappedKey): Promise<Uint8Array>;
}
