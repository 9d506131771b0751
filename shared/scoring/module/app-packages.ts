import nodeModule, { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';

/**
 * Lets the code in a folder import packages that it does not bring: they are looked for in its own node_modules first, then
 * among the app's dependencies. Node before 22.15 has no such hooks; there the code brings all of its packages.
 * `onLoad` hears of each file as it is loaded.
 */
export function useAppPackages(codeFolder: string, onLoad: (url: string) => void): void {
  if (!('registerHooks' in nodeModule)) return;
  const root = `${pathToFileURL(codeFolder).href}/`;
  const app = createRequire(import.meta.url);
  nodeModule.registerHooks({
    resolve(specifier, context, nextResolve) {
      try {
        return nextResolve(specifier, context);
      } catch (error) {
        const fromCode = context.parentURL?.startsWith(root) === true;
        if (!fromCode || !isPackage(specifier) || !isNotFound(error)) throw error;
        try {
          // require() looks from the module that calls it, whatever the context says.
          if (context.conditions.includes('require'))
            return { url: pathToFileURL(app.resolve(specifier)).href, shortCircuit: true };
          return nextResolve(specifier, { ...context, parentURL: import.meta.url });
        } catch (second) {
          throw isNotFound(second) ? error : second;
        }
      }
    },
    load(url, context, nextLoad) {
      onLoad(url);
      return nextLoad(url, context);
    },
  });
}

const isPackage = (specifier: string): boolean => /^[@\w]/.test(specifier) && !/^\w+:/.test(specifier);

const isNotFound = (error: unknown): boolean =>
  error instanceof Error &&
  'code' in error &&
  (error.code === 'ERR_MODULE_NOT_FOUND' || error.code === 'MODULE_NOT_FOUND');
