import type { Binding, RegisteredFunction } from '../functions.ts';
import { expandSettings } from '../setting-names.ts';
import { requireConnection } from '../storage-accounts.ts';
import { queueNameOf } from '../triggers/queue.ts';

export interface QueueBinding {
  readonly kind: 'queue';
  /** Name of the binding; `$return` for what the function returns. */
  readonly name: string;
  readonly queueName: string;
  /** A connection string. */
  readonly connection: string;
}

export interface BlobBinding {
  readonly kind: 'blob';
  readonly name: string;
  /** `container/blob`, either with expressions in braces. */
  readonly path: string;
  readonly connection: string;
}

/** What a function reads and writes beside its trigger. */
export interface FunctionBindings {
  readonly inputs: readonly BlobBinding[];
  readonly outputs: readonly (QueueBinding | BlobBinding)[];
}

/** Bindings that other parts of the host handle. */
const elsewhere = ['http', 'durableClient', 'orchestrationClient'];

/** Throws on a binding that this host does not serve, and on a name or connection that cannot be resolved. */
export function indexBindings(fn: RegisteredFunction, env: NodeJS.ProcessEnv): FunctionBindings {
  const inputs: BlobBinding[] = [];
  const outputs: (QueueBinding | BlobBinding)[] = [];
  for (const [name, binding] of Object.entries(fn.bindings)) {
    if (name === fn.triggerName || elsewhere.includes(binding.type)) continue;
    if (binding.sdkBinding === true) throw new Error(`its binding '${name}' sets sdkBinding, which is not served.`);
    if (binding.type === 'blob' && binding.direction === 'in') inputs.push(blobBinding(name, binding, env));
    else if (binding.type === 'blob') outputs.push(blobBinding(name, binding, env));
    else if (binding.type === 'queue' && binding.direction === 'out') outputs.push(queueBinding(name, binding, env));
    else throw new Error(`the binding type '${binding.type}' (${binding.direction}) is not served by this host.`);
  }
  return { inputs, outputs };
}

function queueBinding(name: string, { queueName = '', connection }: Binding, env: NodeJS.ProcessEnv): QueueBinding {
  return {
    kind: 'queue',
    name,
    queueName: queueNameOf(queueName, env),
    connection: requireConnection(env, connection),
  };
}

function blobBinding(name: string, { path = '', connection }: Binding, env: NodeJS.ProcessEnv): BlobBinding {
  const expanded = expandSettings(path, env).replace(/^\//, '');
  if (!/^[^/]+\/.+$/.test(expanded)) throw new Error(`"${path}" is no blob path such as "container/{name}".`);
  return { kind: 'blob', name, path: expanded, connection: requireConnection(env, connection) };
}
