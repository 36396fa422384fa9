/** Node's own modules by name, as far as Limbeck uses them. */
interface NodeModules {
  'node:buffer': typeof import('node:buffer');
  'node:child_process': typeof import('node:child_process');
  'node:crypto': typeof import('node:crypto');
  'node:fs': typeof import('node:fs');
  'node:fs/promises': typeof import('node:fs/promises');
  'node:http': typeof import('node:http');
  'node:module': typeof import('node:module');
  'node:os': typeof import('node:os');
  'node:path': typeof import('node:path');
  'node:stream': typeof import('node:stream');
  'node:url': typeof import('node:url');
  'node:vm': typeof import('node:vm');
  'node:worker_threads': typeof import('node:worker_threads');
  'node:zlib': typeof import('node:zlib');
}

/** What is read of `process`; a bundler may put an object of its own in its place. */
interface NodeProcess {
  readonly versions?: { readonly node?: string };
  getBuiltinModule?(name: string): unknown;
}

/**
 * A module of Node, or undefined in a browser. The core imports no module of Node: it would not load there. What stands on
 * one asks for it here, and has another way without it.
 */
export function nodeModule<Name extends keyof NodeModules>(name: Name): NodeModules[Name] | undefined {
  const { process } = globalThis as { process?: NodeProcess };
  if (!process?.versions?.node) return undefined;
  // Without this a program would keep everything in memory and lose it.
  if (!process.getBuiltinModule)
    throw new Error(`Node 20.19 or newer is needed; this is ${process.versions.node}`);
  return process.getBuiltinModule(name) as NodeModules[Name] | undefined;
}

/** A module of Node where nothing can be done without it. Throws an error in a browser. */
export function requireNodeModule<Name extends keyof NodeModules>(name: Name): NodeModules[Name] {
  const module = nodeModule(name);
  if (!module) throw new Error(`${name} needs Node`);
  return module;
}

/**
 * The path of the file that `require(name)` would load.
 *
 * @param from `import.meta.url` of the file that wants it
 * @throws what `require.resolve` throws; an error in a browser
 */
export function packageFile(name: string, from: string | URL): string {
  const node = nodeModule('node:module');
  if (!node) throw new Error(`a page has no package ${name}`);
  return node.createRequire(from).resolve(name);
}

/**
 * Loads a package that exists for Node alone.
 *
 * @param from `import.meta.url` of the file that wants it
 * @throws what `require` throws; an error in a browser
 */
export function nodePackage<Module>(name: string, from: string | URL): Module {
  const node = nodeModule('node:module');
  if (!node) throw new Error(`${name} needs Node`);
  return node.createRequire(from)(name) as Module;
}
