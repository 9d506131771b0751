import { randomUUID } from 'node:crypto';
import type { RpcTypedData } from '../core-api.ts';

/** A time as .NET writes a DateTimeOffset in UTC; storage has whole seconds. */
export function toOffsetTime(date: Date): string {
  return date.toISOString().replace(/(\.000)?Z$/, '+00:00');
}

/** The `sys` entry of each non-HTTP trigger's metadata. */
export function systemData(functionName: string): RpcTypedData {
  return {
    json: JSON.stringify({ MethodName: functionName, UtcNow: new Date().toISOString(), RandGuid: randomUUID() }),
  };
}
