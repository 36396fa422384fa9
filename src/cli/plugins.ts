import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { LimbeckError } from '../errors.ts';
import type { Plugin } from '../run/plugin.ts';
import type { Cli } from './cli.ts';
import { rememberPlugin } from './plugin-mistakes.ts';

/**
 * Loads the files of `--plugin` and makes known what they bring. A plugin is code that the person runs by naming it; a
 * recipe cannot.
 *
 * @throws LimbeckError `plugin.failed` where a file cannot be loaded; what `usePlugin` throws
 */
export async function loadPlugins({ api, workingFolder }: Cli, files: readonly string[]): Promise<void> {
  if (files.length === 0) return;
  for (const file of files) {
    const path = resolve(workingFolder, file);
    let module: { readonly default?: Plugin };
    try {
      module = (await import(pathToFileURL(path).href)) as typeof module;
    } catch (cause) {
      throw new LimbeckError('plugin.failed', `the plugin cannot be loaded: ${(cause as Error).message}`, {
        where: path,
        remedy: 'Check the path; it has to be a module that Node loads (.js or .mjs).',
        cause,
      });
    }
    await api.usePlugin(module.default as Plugin);
    rememberPlugin({ name: (module.default as Plugin).name, path });
  }
}
