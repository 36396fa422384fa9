import { execFileSync } from 'node:child_process';
import { existsSync, realpathSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** A Chromium on the PATH, or null. */
export function findChromium(): string | null {
  for (const name of ['chromium', 'chromium-browser', 'google-chrome']) {
    try {
      return execFileSync('which', [name], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
    } catch {}
  }
  return null;
}

/** As root, without a GPU, and without calls to the outside. */
export const CHROMIUM_ARGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-background-networking',
  '--disable-component-update',
];

/** The description of SwiftShader, the Vulkan device without a GPU that Debian's Chromium ships; or null. */
export function findSwiftShader(chromium: string | null): string | null {
  if (!chromium) return null;
  const folders = [dirname(realpathSync(chromium)), '/usr/lib/chromium'];
  const files = folders.map((folder) => join(folder, 'vk_swiftshader_icd.json'));
  return files.find((file) => existsSync(file)) ?? null;
}
