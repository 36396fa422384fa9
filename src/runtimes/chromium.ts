import type { Browser } from 'playwright-core';
import { LimbeckError } from '../errors.ts';
import { ENVIRONMENT } from '../platform/machine.ts';
import { nodePackage, requireNodeModule } from '../platform/node-modules.ts';
import { join } from '../platform/paths.ts';

const NAMES = ['chromium', 'chromium-browser', 'google-chrome', 'chrome', 'msedge'];

/** The browser that LIMBECK_CHROMIUM names, or the first Chromium on the PATH. */
export function findChromium(environment = ENVIRONMENT): string | undefined {
  if (environment.LIMBECK_CHROMIUM) return environment.LIMBECK_CHROMIUM;
  const folders = (environment.PATH ?? '').split(requireNodeModule('node:path').delimiter).filter(Boolean);
  return folders.flatMap((folder) => NAMES.map((name) => join(folder, name))).find(isExecutable);
}

/**
 * Starts a headless Chromium.
 *
 * @throws LimbeckError `measure.no-runtime` where playwright-core or a browser is missing, or it does not start
 */
export async function startChromium(args: readonly string[]): Promise<Browser> {
  let playwright: typeof import('playwright-core');
  try {
    playwright = nodePackage('playwright-core', import.meta.url);
  } catch (cause) {
    throw noRuntime(
      'the package playwright-core is not installed',
      'Install it: npm install playwright-core.',
      cause,
    );
  }
  const executablePath = findChromium();
  if (executablePath === undefined) {
    throw noRuntime(
      'there is no Chromium on the PATH',
      'Install one (on Debian: apt-get install chromium), or name it with LIMBECK_CHROMIUM=/path/to/chromium.',
    );
  }
  try {
    // Chromium does not start as root in its sandbox; what it loads comes from this process alone.
    const chromiumSandbox = requireNodeModule('node:os').userInfo().uid !== 0;
    return await playwright.chromium.launch({ executablePath, chromiumSandbox, args: [...args] });
  } catch (cause) {
    throw noRuntime(
      `the browser does not start: ${String(cause).split('\n')[0]}`,
      `Try it: ${executablePath}.`,
      cause,
    );
  }
}

export function noRuntime(problem: string, remedy: string, cause?: unknown): LimbeckError {
  return new LimbeckError('measure.no-runtime', problem, { where: 'on wasm or webgpu', remedy, cause });
}

function isExecutable(path: string): boolean {
  try {
    const fs = requireNodeModule('node:fs');
    fs.accessSync(path, fs.constants.X_OK);
    // A folder that may be entered counts as executable, too.
    return fs.statSync(path).isFile();
  } catch {
    return false;
  }
}
