import Module from 'node:module';
import type { LogLevel } from './log.ts';

/** Values as they cross between worker and host; the fields that this host sends or understands. */
export interface RpcTypedData {
  readonly string?: string | null;
  readonly json?: string | null;
  readonly bytes?: Uint8Array | null;
  readonly int?: number | null;
  readonly double?: number | null;
  readonly http?: RpcHttpData | null;
}

interface Nullable<T> {
  readonly value?: T | null;
}

export interface RpcHttpCookie {
  readonly name: string;
  readonly value: string;
  readonly domain?: Nullable<string> | null | undefined;
  readonly path?: Nullable<string> | null | undefined;
  readonly expires?: { readonly value?: { readonly seconds: number } | null } | null | undefined;
  readonly secure?: Nullable<boolean> | null | undefined;
  readonly httpOnly?: Nullable<boolean> | null | undefined;
  readonly sameSite?: 'none' | 'lax' | 'strict' | 'explicitNone';
  readonly maxAge?: Nullable<number> | null | undefined;
}

export interface RpcHttpData {
  readonly method?: string;
  readonly url?: string;
  readonly nullableHeaders?: Record<string, Nullable<string>>;
  readonly nullableParams?: Record<string, Nullable<string>>;
  readonly nullableQuery?: Record<string, Nullable<string>>;
  readonly body?: RpcTypedData | null;
  readonly statusCode?: string;
  readonly headers?: Record<string, string>;
  readonly cookies?: readonly RpcHttpCookie[];
}

export interface InvocationResponse {
  readonly returnValue?: RpcTypedData | null;
  /** What the function has set with context.extraOutputs. */
  readonly outputData?: readonly { readonly name: string; readonly data: RpcTypedData }[];
}

export type FunctionCallback = (...args: unknown[]) => unknown;

/** Which retry of a failed execution this is. */
export interface RetryContext {
  readonly retryCount: number;
  readonly maxRetryCount: number;
  readonly exception: { readonly source: string; readonly stackTrace: string; readonly message: string };
}

export interface CoreInvocation {
  readonly invocationId: string;
  readonly metadata: unknown;
  readonly request: {
    readonly invocationId: string;
    readonly functionId: string;
    readonly inputData: readonly { readonly name: string; readonly data: RpcTypedData }[];
    readonly triggerMetadata: Record<string, RpcTypedData>;
    readonly traceContext: Record<string, unknown>;
    readonly retryContext?: RetryContext;
  };
  state?: 'preInvocationHooks' | 'invocation' | 'postInvocationHooks';
  log(level: LogLevel, category: string, message: string): void;
}

interface InvocationModel {
  getArguments(): Promise<{ context: unknown; inputs: unknown[] }>;
  invokeFunction(context: unknown, inputs: unknown[], callback: FunctionCallback): Promise<unknown>;
  getResponse(context: unknown, result: unknown): Promise<InvocationResponse>;
}

export interface ProgrammingModel {
  readonly name: string;
  readonly version: string;
  getInvocationModel(core: CoreInvocation): InvocationModel | Promise<InvocationModel>;
  getCapabilities(capabilities: Record<string, unknown>): Promise<Record<string, unknown>>;
}

export type HookCallback = (context: Record<string, unknown>) => unknown;

/** What an app has registered while it loaded. */
export interface AppRegistry {
  readonly functions: ReadonlyMap<string, { readonly metadata: unknown; readonly callback: FunctionCallback }>;
  hooks(name: string): readonly HookCallback[];
  programmingModel(): ProgrammingModel | undefined;
  /** From now on a registration throws. */
  close(): void;
}

class Disposable {
  readonly #onDispose: () => void;
  constructor(onDispose: () => void) {
    this.#onDispose = onDispose;
  }
  static from(...items: { dispose(): unknown }[]): Disposable {
    return new Disposable(() => {
      for (const item of items) item.dispose();
    });
  }
  dispose(): void {
    this.#onDispose();
  }
}

const moduleName = '@azure/functions-core';

/**
 * Makes `require('@azure/functions-core')` answer with a host, as the real worker does. Must run before any file of
 * the app is loaded: the library remembers for ever that it found none. One app per process.
 */
export function installCoreApi(log: (level: LogLevel, category: string, message: string) => void): AppRegistry {
  const functions = new Map<string, { metadata: unknown; callback: FunctionCallback }>();
  const hooks = new Map<string, Set<HookCallback>>();
  let model: ProgrammingModel | undefined;
  let closed = false;

  const api = {
    version: '1.0.0',
    hostVersion: '4.0.0',
    registerFunction(metadata: { functionId?: string; name: string }, callback: FunctionCallback): Disposable {
      const id = metadata.functionId ?? metadata.name;
      if (closed) throw new Error('A function can only be registered during app startup.');
      if (functions.has(id)) throw new Error(`A function with id "${id}" has already been registered.`);
      functions.set(id, { metadata, callback });
      return new Disposable(() => {
        if (closed) throw new Error('A function can only be disposed during app startup.');
        functions.delete(id);
      });
    },
    registerHook(name: string, callback: HookCallback): Disposable {
      const registered = hooks.get(name) ?? new Set();
      hooks.set(name, registered.add(callback));
      return new Disposable(() => void registered.delete(callback));
    },
    setProgrammingModel(next: ProgrammingModel): void {
      model = next;
    },
    getProgrammingModel: () => model,
    log,
    Disposable,
  };

  const load: unknown = Reflect.get(Module, '_load');
  if (typeof load !== 'function') throw new Error(`This Node.js has no Module._load: cannot offer ${moduleName}.`);
  Reflect.set(Module, '_load', function (this: unknown, request: string, ...rest: unknown[]): unknown {
    if (request === moduleName) return api;
    const loaded: unknown = Reflect.apply(load, this, [request, ...rest]);
    return loaded;
  });

  return {
    functions,
    hooks: (name) => Array.from(hooks.get(name) ?? []),
    programmingModel: () => model,
    close() {
      closed = true;
    },
  };
}
