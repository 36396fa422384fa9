#!/usr/bin/env node
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { buildClone } from './build-clone.js';

const root = fileURLToPath(new URL('..', import.meta.url));
const main = new URL('../dist/cli/main.js', import.meta.url);

const [major, minor] = process.versions.node.split('.').map(Number);
if (major < 20 || (major === 20 && minor < 19)) {
  console.error(`Limbeck needs Node.js 20.19 or later; this is ${process.version}.`);
  process.exitCode = 1;
} else {
  const failure = buildClone(root);
  if (failure || !existsSync(main)) {
    console.error(failure ?? 'Limbeck is not built: dist/ is missing.');
    process.exitCode = 1;
  } else {
    await import(main.href);
  }
}
