import { randomUUID } from 'node:crypto';
import type { AppRegistry, CoreInvocation, FunctionCallback, InvocationResponse, RpcTypedData } from './core-api.ts';
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
  /** Sees what the function returned before it becomes text. */
  readonly inspect?: (result: unknown) => void;
}

/** What the real host says of a call by HTTP, to a function's URL or by hand under /admin. */
export const hostApiReason = 'This function was programmatically called via the host APIs.';

export type Invoke = (fn: RegisteredFunction, invocation: Invocation) => Promise<InvocationResponse>;

/**
 * Runs functions through the library's own invocation model, step by step as the worker's InvocationHandler does.
 * The returned function rejects with what the function (or a hook) threw.
 */
export function createInvoke(registry: AppRegistry, log: Log, clientBinding: () => string): Invoke {
  const appHookData = {};

  async function invoke(fn: RegisteredFunction, invocation: Invocation, id: string): Promise<InvocationResponse> {
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
        ],
        triggerMetadata: invocation.triggerMetadata ?? {},
        traceContext: {},
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
    return invocationModel.getResponse(context, post.result);
  }

  return async (fn, invocation) => {
    const id = invocation.id ?? randomUUID();
    const begun = performance.now();
    log.execution(fn.name, 'information', `Executing 'Functions.${fn.name}' (Reason='${invocation.reason}', Id=${id})`);
    let status = 'Failed';
    try {
      const response = await invoke(fn, invocation, id);
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
