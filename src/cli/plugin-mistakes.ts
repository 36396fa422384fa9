import { dirname, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';

/** A plugin that was loaded: what it calls itself, and its file. */
export interface LoadedPlugin {
  readonly name: string;
  readonly path: string;
}

/** Where in whose code an error came up. */
export interface PluginPlace {
  readonly name: string;
  /** `/home/me/counts/loss.mjs:12` */
  readonly where: string;
}

const OWN = dirname(dirname(fileURLToPath(import.meta.url)));
/** A plugin's frame may lie below many of ours: layers and losses are called from deep inside. */
const FRAMES = 100;

const loaded: LoadedPlugin[] = [];

/** Lets errors of a plugin be told from ours. */
export function rememberPlugin(plugin: LoadedPlugin): void {
  Error.stackTraceLimit = Math.max(Error.stackTraceLimit, FRAMES);
  loaded.push(plugin);
}

export function loadedPlugins(): readonly LoadedPlugin[] {
  return loaded;
}

/**
 * The plugin in whose code an error came up, or which called what failed: one whose folder has a file on the stack. A plugin
 * may lie beside `node_modules` with Limbeck in it: what is in there is none of its files.
 */
export function pluginBehind(
  error: unknown,
  plugins: readonly LoadedPlugin[] = loaded,
): PluginPlace | undefined {
  if (!(error instanceof Error) || plugins.length === 0) return undefined;
  for (const [, file, line] of (error.stack ?? '').matchAll(
    /\(?((?:file:\/\/)?\/[^\s()]+?):(\d+):\d+\)?$/gm,
  )) {
    const path = pathOf(file as string);
    if (within(path, OWN)) continue;
    const plugin = plugins.find((one) => path === one.path || within(path, dirname(one.path)));
    if (plugin) return { name: plugin.name, where: `${path}:${line}` };
  }
  return undefined;
}

function pathOf(file: string): string {
  try {
    return file.startsWith('file:') ? fileURLToPath(file) : file;
  } catch {
    return file;
  }
}

/** Whether a file lies in a folder, and not in packages that are installed there. */
function within(path: string, folder: string): boolean {
  const steps = relative(folder, path).split(sep);
  return steps[0] !== '..' && !steps.includes('node_modules');
}
