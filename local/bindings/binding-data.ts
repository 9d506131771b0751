import { randomUUID } from 'node:crypto';
import type { RpcTypedData } from '../core-api.ts';
import type { Invocation } from '../invoke.ts';
import type { BindingData } from './path-expression.ts';

/**
 * What a function's binding paths may name: the trigger's metadata, the properties of a JSON message, and of an HTTP
 * request its query, its JSON body and its route, the latter winning.
 */
export function bindingDataOf({ data, triggerMetadata = {} }: Invocation): BindingData {
  const metadata = Object.fromEntries(Object.entries(triggerMetadata).map(([name, value]) => [name, plain(value)]));
  const http = data?.http;
  const fromHttp =
    http === undefined || http === null
      ? {}
      : {
          ...values(http.nullableQuery),
          ...objectIn(Buffer.from(http.body?.bytes ?? []).toString('utf8')),
          ...values(http.nullableParams),
        };
  const sys = { utcNow: new Date().toISOString(), randGuid: randomUUID() };
  return { sys, ...objectIn(data?.string ?? data?.json ?? ''), ...fromHttp, ...metadata };
}

function plain(value: RpcTypedData): unknown {
  if (value.json !== undefined && value.json !== null) return JSON.parse(value.json);
  return value.string ?? value.int ?? value.double;
}

function values(nullable: Record<string, { readonly value?: string | null }> = {}): Record<string, unknown> {
  return Object.fromEntries(Object.entries(nullable).map(([name, { value }]) => [name, value]));
}

/** The object that a text holds as JSON; nothing for any other text. */
function objectIn(text: string): object {
  if (!/^\s*\{/.test(text)) return {};
  try {
    const parsed: unknown = JSON.parse(text);
    return typeof parsed === 'object' && parsed !== null ? parsed : {};
  } catch {
    // Text that only begins like JSON has no properties.
    return {};
  }
}
