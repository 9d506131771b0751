/** A WebAssembly function over a memory of its own. It does not survive a throw in the middle: nothing of it is kept between calls. */
export interface Kernel {
  readonly memory: ArrayBuffer;
  call(...values: readonly number[]): number;
}

const PAGE = 65_536;

/** Instantiates a compiled .wat file that exports `memory`, of one page, and the function `name`; the memory has `bytes` at least. */
export function kernel(compiled: string, name: string, bytes: number): Kernel {
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(Buffer.from(compiled, 'base64')));
  const { memory, [name]: run } = exports;
  if (!(memory instanceof WebAssembly.Memory) || typeof run !== 'function') throw new Error(`There is no ${name}.`);
  memory.grow(Math.ceil(bytes / PAGE));
  return { memory: memory.buffer, call: (...values) => Number(Reflect.apply(run, undefined, values)) };
}
