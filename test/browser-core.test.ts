import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { build, type Rolldown } from 'vite';
import { afterAll, beforeAll, expect, it } from 'vitest';

// The compiler of training steps and the loop are to run in a browser tab one day: they must bundle without Node.
const SRC = resolve(import.meta.dirname, '../src');
const ENTRY = `
export { gradients } from '${SRC}/autodiff/gradients.ts';
export { quantizeStatic } from '${SRC}/compress/quantize-static.ts';
export { quantizeWithinDrop } from '${SRC}/compress/quantize-within-drop.ts';
export { createWebEngine } from '${SRC}/engine/web.ts';
export { crossEntropy } from '${SRC}/objectives/cross-entropy.ts';
export { kdTerm } from '${SRC}/objectives/kd-logits.ts';
export { readModel } from '${SRC}/onnx/read-model.ts';
export { writeModel } from '${SRC}/onnx/write-model.ts';
export { BACKBONES } from '${SRC}/students/index.ts';
export { adamw } from '${SRC}/train/adamw.ts';
export { trainStudent } from '${SRC}/train/training-loop.ts';
export { learningRate } from '${SRC}/weighting/learning-rate.ts';
`;

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'limbeck-core-'));
  writeFileSync(join(folder, 'entry.ts'), ENTRY);
});
afterAll(() => {
  rmSync(folder, { recursive: true });
});

it('bundles the core for a browser, without Node', async () => {
  const imported = new Set<string>();
  const result = (await build({
    root: SRC,
    configFile: false,
    logLevel: 'silent',
    build: {
      write: false,
      minify: true,
      lib: { entry: join(folder, 'entry.ts'), formats: ['es'], fileName: 'core' },
    },
    plugins: [
      {
        name: 'note-node-imports',
        enforce: 'pre',
        resolveId(source) {
          if (source.startsWith('node:') || source === 'onnxruntime-node') imported.add(source);
          return undefined;
        },
      },
    ],
  })) as Rolldown.RolldownOutput[];
  expect([...imported]).toEqual([]);
  const [{ output }] = result;
  const code = output.map((chunk) => ('code' in chunk ? chunk.code : '')).join('');
  expect(code).not.toMatch(/\bfrom\s*["']node:|\brequire\(["']node:|__vite-browser-external/);
  // Small enough to load with a page.
  expect(code.length).toBeLessThan(600_000);
});
