/** What Node has of https://webassembly.github.io/spec/js-api and @types/node does not say; `lib: dom` would bring a browser. */
declare namespace WebAssembly {
  class Module {
    constructor(bytes: Uint8Array);
  }
  class Instance {
    constructor(module: Module);
    readonly exports: Readonly<Record<string, unknown>>;
  }
  class Memory {
    readonly buffer: ArrayBuffer;
    /** By pages of 64 KiB. Throws RangeError when there is no room. The buffer before is empty from then on. */
    grow(pages: number): number;
  }
}
