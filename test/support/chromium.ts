import { existsSync, realpathSync } from 'node:fs';
import { dirname, join } from 'node:path';

export { findChromium } from '../../src/runtimes/chromium.ts';

/** As root, without a GPU, and without calls to the outside. */
export const CHROMIUM_ARGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-background-networking',
  '--disable-component-update',
];

/** The description of SwiftShader, the Vulkan device without a GPU that Debian's Chromium ships; or null. */
export function findSwiftShader(chromium: string | undefined): string | null {
  if (!chromium) return null;
  const folders = [dirname(realpathSync(chromium)), '/usr/lib/chromium'];
  const files = folders.map((folder) => join(folder, 'vk_swiftshader_icd.json'));
  return files.find((file) => existsSync(file)) ?? null;
}
