/**
 * Gives the memory of bytes back that nobody reads any more. Otherwise it waits for the garbage collector, which for every 64 MB
 * that have passed marks the whole heap. Bytes that are a part of a buffer are left alone: others may lie beside them.
 */
export function freeBytes({ buffer, byteLength }: Uint8Array): void {
  if (buffer instanceof ArrayBuffer && buffer.byteLength === byteLength) buffer.transfer(0);
}
