import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['src/**/*.test.ts', 'test/**/*.test.ts'],
    testTimeout: 60_000,
    // Two cores, and onnxruntime uses both: more workers than that only slow each other down.
    maxWorkers: 2,
  },
});
