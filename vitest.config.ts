import { defineConfig } from 'vitest/config';

const json = process.env.VITEST_JSON;
/** On a machine that does other things: `TEST_PATIENCE=10 npm test` waits ten times as long. */
const patience = Number(process.env.TEST_PATIENCE ?? 1);

/** These register components, which nothing takes back. */
const ALONE = ['test/compress.test.ts', 'test/registered-stage.test.ts'];

export default defineConfig({
  test: {
    maxWorkers: 2,
    projects: [
      {
        extends: true,
        // These put back what they change: importing everything anew for each file was a quarter of the time.
        test: { name: 'unit', include: ['src/**/*.test.ts'], isolate: false },
      },
      {
        extends: true,
        // Whole runs, beside which another file of tests goes on: a thread each gets more done than two that wait for each other.
        // Importing everything anew for each file took 1.6 s of processor time.
        test: {
          name: 'end to end',
          include: ['test/**/*.test.ts'],
          exclude: ALONE,
          env: { LIMBECK_THREADS: '1' },
          isolate: false,
        },
      },
      {
        extends: true,
        test: { name: 'end to end, alone', include: ALONE, env: { LIMBECK_THREADS: '1' } },
      },
    ],
    // Modules as they are run, kept between runs by their contents: making them took half of a run of one file.
    experimental: { fsModuleCache: true },
    testTimeout: 60_000 * patience,
    hookTimeout: 60_000 * patience,
    reporters: json ? ['default', ['json', { outputFile: json }]] : ['default'],
  },
});
