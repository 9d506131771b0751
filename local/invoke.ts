import { randomUUID } from 'node:crypto';
import type { Bindings } from './bindings/bindings.ts';
import type {
  AppRegistry,
  CoreInvocation,
  FunctionCallback,
  InvocationResponse,
  RetryContext,
  RpcTypedData,
} from './core-api.ts';
import { withTimeout } from './function-timeout.ts';
import type { RegisteredFunction } from './functions.ts';
import type { Log } from './log.ts';

export interface Invocation {
  /** Undefined stands for no data: the function sees `undefined`. */
  readonly data: RpcTypedData | undefined;
  /** Why it runs, for the log. */
  readonly reason: string;
  /** Its id, when somebody else must know it first; made here otherwise. */
  readonly id?: string;
  readonly triggerMetadata?: Record<string, RpcTypedData>;
  readonly retryContext?: RetryContext;
  /** Sees what the function returned before it becomes text. */
  readonly inspect?: (result: unknown) => void;
}

/** What the real host says of a call by HTTP, to a function's URL or by hand under /admin. */
export const hostApiReason = 'This function was programmatically called via the host APIs.';

export type Invoke = (fn: RegisteredFunction, invocation: Invocation) => Promise<InvocationResponse>;

export interface InvokeOptions {
  readonly registry: AppRegistry;
  readonly log: Log;
  readonly clientBinding: () => string;
  readonly bindings: Bindings;
  /** Infinity lets a function run for ever. */
  readonly timeoutMs: number;
}

/**
 * Runs functions through the library's own invocation model, step by step as the worker's InvocationHandler does.
 * The returned function rejects with what the function (or a hook) threw, when an output cannot be written,
 * and when the function takes longer than the timeout.
 */
export function createInvoke({ registry, log, clientBinding, bindings, timeoutMs }: InvokeOptions): Invoke {
  const appHookData = {};

  async function invoke(
    fn: RegisteredFunction,
    invocation: Invocation,
    id: string,
    isOver: () => boolean,
  ): Promise<InvocationResponse> {
    const model = registry.programmingModel();
    if (model === undefined) throw new Error('The app has set no programming model.');
    const client = { string: clientBinding() };
    const core: CoreInvocation = {
      invocationId: id,
      metadata: fn.metadata,
      request: {
        invocationId: id,
        functionId: fn.id,
        inputData: [
          { name: fn.triggerName, data: invocation.data ?? {} },
          ...fn.durableClients.map((name) => ({ name, data: client })),
          ...(await bindings.read(fn, invocation)),
        ],
        triggerMetadata: invocation.triggerMetadata ?? {},
        traceContext: {},
        ...(invocation.retryContext === undefined ? {} : { retryContext: invocation.retryContext }),
      },
      log: (level, category, message) =>
        log.app(level, category === 'user' ? `Function.${fn.name}.User` : `Function.${fn.name}`, message),
    };
    const invocationModel = await model.getInvocationModel(core);
    const { context, inputs } = await invocationModel.getArguments();
    const hookData = {};

    core.state = 'preInvocationHooks';
    const pre = { hookData, appHookData, invocationContext: context, functionCallback: fn.callback, inputs };
    for (const hook of registry.hooks('preInvocation')) await hook(pre);

    const post: { inputs: unknown[]; result: unknown; error: unknown; [key: string]: unknown } = {
      ...{ hookData, appHookData, invocationContext: context, inputs: pre.inputs, result: null, error: null },
    };
    core.state = 'invocation';
    const callback: FunctionCallback = pre.functionCallback;
    try {
      post.result = await invocationModel.invokeFunction(context, pre.inputs, callback);
    } catch (error) {
      post.error = error;
    }
    core.state = 'postInvocationHooks';
    for (const hook of registry.hooks('postInvocation')) await hook(post);
    if (post.error !== null && post.error !== undefined) throw asError(post.error);
    invocation.inspect?.(post.result);
    const response = await invocationModel.getResponse(context, post.result);
    // What was reported as failed must not write its outputs after all.
    if (!isOver()) await bindings.write(fn, invocation, response);
    return response;
  }

  return async (fn, invocation) => {
    const id = invocation.id ?? randomUUID();
    const begun = performance.now();
    log.execution(fn.name, 'information', `Executing 'Functions.${fn.name}' (Reason='${invocation.reason}', Id=${id})`);
    let status = 'Failed';
    try {
      const response = await withTimeout(fn.name, timeoutMs, log, (isOver) => invoke(fn, invocation, id, isOver));
      status = 'Succeeded';
      return response;
    } finally {
      const duration = Math.round(performance.now() - begun);
      log.execution(
        fn.name,
        status === 'Failed' ? 'error' : 'information',
        `Executed 'Functions.${fn.name}' (${status}, Id=${id}, Duration=${duration}ms)`,
      );
    }
  };
}

/** What was thrown, as an Error: the worker turns anything else into one too. */
function asError(thrown: unknown): Error {
  if (thrown instanceof Error) return thrown;
  return new Error(typeof thrown === 'string' ? thrown : JSON.stringify(thrown));
}
