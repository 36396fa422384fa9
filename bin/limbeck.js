#!/usr/bin/env node
import { existsSync } from 'node:fs';

const main = new URL('../dist/cli/main.js', import.meta.url);

if (Number(process.versions.node.split('.')[0]) < 20) {
  console.error(`Limbeck needs Node.js 20 or later; this is ${process.version}.`);
  process.exitCode = 1;
} else if (!existsSync(main)) {
  console.error('Limbeck is not built yet. In its folder, run: npm ci (or: npm run build)');
  process.exitCode = 1;
} else {
  await import(main.href);
}
